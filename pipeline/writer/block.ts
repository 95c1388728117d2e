/** Inserting one block and confirming it: the loop around `nextStep`. */
import { AppError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import type { InsertOutcome, PartitionId, Store } from '../../infra/store/store.ts'
import { refusesContent } from '../../infra/store/store-error.ts'
import { type Backoff, timedWait, type Wait } from './backoff.ts'
import type { CutBlock } from './blocks.ts'
import { nextStep, type Step } from './next-step.ts'

export interface BlockWriting {
  readonly store: Pick<Store, 'mark' | 'insertBlock' | 'boot' | 'replicated'>
  readonly partition: PartitionId
  readonly logger: Logger
  readonly backoff: Backoff
  readonly maxRepeats: number
  /** A timer unless told. */
  readonly wait?: Wait
  readonly signal?: AbortSignal
}

/** Resolves to the mark once it has moved, by this insert or by another writer's. Rejects as `PartitionWriter.write` does. */
export async function writeBlock(cut: CutBlock, writing: BlockWriting): Promise<number> {
  const { store, partition } = writing
  const block = { ...partition, mark: cut.first - 1, last: cut.last, rows: cut.rows }
  const insert = (attempt: number): Promise<InsertOutcome> =>
    store.insertBlock({ ...block, token: tokenOf(partition, cut.first, store.boot, attempt) })

  let attempt = 0
  let outcome = await insert(attempt)
  let reads = 0
  for (let repeat = 1; ; repeat += 1) {
    const markAfter = await store.mark(partition)
    reads += 1
    const { replicated } = store
    const step = nextStep({ block, outcome: outcome.kind, markAfter, reads, attempt, replicated })
    if (step.kind === 'go-on') return step.mark
    if (step.kind === 'lost') throw wentBack(block, markAfter)
    if (repeat > patienceWith(outcome, writing)) throw gaveUp(block, outcome)
    report(writing.logger, block, outcome, step)
    await pause(writing, repeat)
    if (step.kind === 'wait') continue
    attempt = step.attempt
    outcome = await insert(attempt)
    reads = 0
  }
}

/** Of two inserts that build on the same mark at the same moment, the engine keeps one: their tokens are the same. */
const tokenOf = (at: PartitionId, first: number, boot: string, attempt: number): string =>
  `${at.logTopic}/${at.partition}/${first}/${boot}/${attempt}${at.revision === undefined ? '' : `/${at.revision.number}`}`

type Where = PartitionId & { readonly mark: number; readonly last: number }

const nameOf = (block: Where): string =>
  `offsets ${block.mark + 1} to ${block.last} of ${block.logTopic}/${block.partition}`

/** A store that understood the block and refuses it will refuse it again. */
const repeatsOfRefused = 1

function patienceWith(outcome: InsertOutcome, { maxRepeats }: BlockWriting): number {
  const isRefused = outcome.kind === 'unknown' && refusesContent(outcome.error)
  return isRefused ? Math.min(repeatsOfRefused, maxRepeats) : maxRepeats
}

async function pause(writing: BlockWriting, repeat: number): Promise<void> {
  const { wait = timedWait, signal } = writing
  try {
    await wait(writing.backoff(repeat), signal)
  } catch (cause) {
    const message = 'Stopped before a block was confirmed; it is repeated at the next start'
    throw new AppError('STORE', message, { cause, retryable: true })
  }
}

function report(logger: Logger, block: Where, outcome: InsertOutcome, step: Step): void {
  const { logTopic, partition, mark, last } = block
  const err = outcome.kind === 'unknown' ? outcome.error : undefined
  logger.warn(
    { logTopic, partition, first: mark + 1, last, outcome: outcome.kind, step, err },
    'block not confirmed yet',
  )
}

function wentBack(block: Where, markAfter: number): AppError {
  const { logTopic, partition, mark } = block
  return new AppError(
    'STORE',
    `The store has lost rows of ${logTopic}/${partition}: it held offsets up to ${mark}, and now up to ${markAfter}. Restart to store them again from the log`,
  )
}

function gaveUp(block: Where, outcome: InsertOutcome): AppError {
  if (outcome.kind === 'unknown' && outcome.error instanceof AppError) return outcome.error
  const message = `The store does not show the ${nameOf(block)}, although it took them`
  return new AppError('STORE_LAGGING', message, { retryable: true })
}
