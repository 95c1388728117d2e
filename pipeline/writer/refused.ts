/**
 * Storing a batch in which the store refuses something for what it holds: the batch is cut in halves, and what lies before the offset that is refused
 * alone is stored on the way, in log order. log2 steps find it, and nothing is written twice: the mark says what is stored.
 */
import { AppError, describeError } from '../../infra/errors.ts'
import { refusesContent } from '../../infra/store/store-error.ts'
import type { Cause } from '../dead-letters.ts'
import type { AnalysedBatch, PartitionWriter } from '../writer.ts'

export interface WrittenUpTo {
  /** The mark. */
  readonly reached: number
  /** The offset behind it, when the store refuses its rows. */
  readonly refused?: { readonly offset: number; readonly cause: Cause }
}

/** Rejects as `write` does for every other failure, and when rows are refused that hold nothing of a post: those of `poison`. */
export async function writeUpToRefused(
  writer: Pick<PartitionWriter, 'write' | 'mark'>,
  batch: AnalysedBatch,
  poison: ReadonlyMap<number, unknown>,
): Promise<WrittenUpTo> {
  /** Rows are refused before it, as far as is known. */
  let end = batch.next
  let { next } = batch
  for (;;) {
    try {
      const reached = await writer.write(upTo(batch, next))
      if (next === batch.next) return { reached }
      if (reached + 1 >= end) end = batch.next
      next = middleOf(reached + 1, end)
    } catch (error) {
      if (!refusesContent(error)) throw error
      const first = Math.max(batch.from, (await writer.mark()) + 1)
      if (next - first <= 1 && poison.has(first)) throw error
      if (next - first <= 1)
        return { reached: first - 1, refused: { offset: first, cause: causeOf(error) } }
      end = next
      next = middleOf(first, end)
    }
  }
}

function middleOf(first: number, end: number): number {
  return first + Math.max(1, (end - first) >> 1)
}

function upTo(batch: AnalysedBatch, next: number): AnalysedBatch {
  return { ...batch, next, rows: batch.rows.filter(({ offset }) => offset < next) }
}

function causeOf(error: unknown): Cause {
  const cause = error instanceof AppError ? error.cause : undefined
  const type = (cause as { readonly type?: unknown } | undefined)?.type
  const why = typeof type === 'string' ? type : describeError(error)
  return {
    class: 'store',
    reason: `the store refuses its rows: ${why}`,
    error: cause,
    isBare: true,
  }
}
