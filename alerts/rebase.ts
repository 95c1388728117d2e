/** The alert state as it would be had other experts judged the past: the same history and the same live rows, folded anew. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fromStoreTime } from '../infra/store/store-time.ts'
import { AlertFold, type FoldOptions } from './fold.ts'
import { type HistoryBucket, inBuckets } from './history.ts'
import type { MentionRow } from './window.ts'

export interface Past {
  /** Imported history that taught the baselines; empty where none did. */
  readonly imported: AsyncIterable<MentionRow>
  /** Live mentions by appended_at. */
  readonly live: AsyncIterable<MentionRow>
  /** End of the last closed bucket, in milliseconds. */
  readonly until: number
}

/** Closes between two turns of the event loop: the process answers requests meanwhile. */
const closesATurn = 10

/** A fold that has closed the buckets up to `until`. Its alerts are nobody's: who takes its state keeps his own. */
export async function foldedPast(options: FoldOptions, past: Past): Promise<AlertFold> {
  const { bucketMs } = options
  const fold = new AlertFold(options)
  await fold.seed(inBuckets(past.imported, bucketMs))
  let closed = 0
  const close = async (end: number, rows: readonly MentionRow[]): Promise<void> => {
    fold.closeBucket(end, rows)
    closed += 1
    if (closed % closesATurn === 0) await nextTurn()
  }
  let last: number | undefined
  for await (const { end, rows } of liveBuckets(past.live, bucketMs)) {
    // As the engine does: an empty bucket is skipped where it changes nothing.
    for (let empty = (last ?? end) + bucketMs; empty < end && !fold.isIdle; empty += bucketMs)
      await close(empty, [])
    await close(end, rows)
    last = end
  }
  if (last === undefined) return fold
  for (let empty = last + bucketMs; empty <= past.until && !fold.isIdle; empty += bucketMs)
    await close(empty, [])
  return fold
}

/** Buckets that hold a row. */
async function* liveBuckets(
  rows: AsyncIterable<MentionRow>,
  bucketMs: number,
): AsyncGenerator<HistoryBucket> {
  let bucket: { end: number; rows: MentionRow[] } | undefined
  for await (const row of rows) {
    const end = (Math.floor(fromStoreTime(row.appended_at) / bucketMs) + 1) * bucketMs
    if (bucket !== undefined && bucket.end !== end) {
      yield bucket
      bucket = undefined
    }
    bucket ??= { end, rows: [] }
    bucket.rows.push(row)
  }
  if (bucket !== undefined) yield bucket
}
