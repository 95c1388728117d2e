/** A log whose every offset can be computed, so that a test knows what must be stored after any crash. */
import { fromStoreTime, toStoreTime } from '../../infra/store/store-time.ts'
import { emptyRow, type UnplacedRow } from '../../pipeline/writer/gap.ts'
import type { AnalysedBatch } from '../../pipeline/writer.ts'

export const logTopic = 'posts@0'

const start = fromStoreTime('2026-11-24 10:00:00.000')

const isHole = (offset: number): boolean => offset % 7 === 3
const mentionsAt = (offset: number): number => offset % 4

export interface Sizes {
  readonly textLength?: number
}

function rowsAt(offset: number, sizes: Sizes): UnplacedRow[] {
  const time = toStoreTime(start + offset * 1_000)
  const post: UnplacedRow = {
    ...emptyRow({ logTopic, partition: 0 }, offset, time),
    outcome: 'scored',
    post_id: `post-${offset}`,
    version: 1,
    text: 'x'.repeat(sizes.textLength ?? 20),
    score: 0.5,
  }
  const mentions = Array.from({ length: mentionsAt(offset) }, (_, at) => ({
    ...post,
    ordinal: at + 1,
    instrument: `US:${at}`,
  }))
  return [post, ...mentions]
}

const range = (from: number, next: number): number[] =>
  Array.from({ length: next - from }, (_, at) => from + at)

export function batchOf(from: number, next: number, sizes: Sizes = {}): AnalysedBatch {
  const rows = range(from, next)
    .filter((offset) => !isHole(offset))
    .flatMap((offset) => rowsAt(offset, sizes))
  return { from, next, rows }
}

/** What the table must hold of offsets 0 to `next`. */
export function expectedTotals(next: number): { rows: number; mentions: number } {
  const mentions = range(0, next)
    .filter((offset) => !isHole(offset))
    .reduce((sum, offset) => sum + mentionsAt(offset), 0)
  return { rows: next + mentions, mentions }
}
