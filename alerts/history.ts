/** Imported history as buckets of published_at, oldest first: what a baseline seed is folded from. */
import type { Store } from '../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../infra/store/store-time.ts'
import type { BaselineSeed } from './control.ts'
import { isHistory } from './live.ts'
import type { MentionRow } from './window.ts'

export interface HistoryBucket {
  readonly end: number
  readonly rows: readonly MentionRow[]
}

/** The mentions of a seed in (published_at, partition, offset, ordinal) order. */
export type ReadHistory = (seed: BaselineSeed) => AsyncIterable<MentionRow>

const pageRows = 20_000

/** Reads page by page, so that a long history never stands in memory. Texts stay behind: a lesson needs none. */
export function historyOf(store: Store, logTopic: string): ReadHistory {
  return async function* (seed) {
    let after = { at: toStoreTime(0), partition: 0, offset: -1, ordinal: 0 }
    while (true) {
      const page = await store.query<MentionRow>(
        `SELECT log_topic, partition, offset, ordinal, outcome, post_id, version, source, status, '' AS text,
                content_hash, author, history, signature, instrument, negative, [] AS \`experts.name\`,
                [] AS \`experts.task\`, [] AS \`experts.probabilities\`, published_at, original_published_at, appended_at
         FROM analyses
         WHERE log_topic = {logTopic:String} AND source = {source:String} AND history AND ordinal >= 1
           AND startsWith(post_id, {idPrefix:String})
           AND published_at >= {from:DateTime64(3, 'UTC')} AND published_at < {to:DateTime64(3, 'UTC')}
           AND (published_at, partition, offset, ordinal)
             > ({at:DateTime64(3, 'UTC')}, {partition:UInt32}, {offset:Int64}, {ordinal:UInt16})
         ORDER BY published_at, partition, offset, ordinal
         LIMIT {pageRows:UInt32}`,
        {
          logTopic,
          source: seed.source,
          idPrefix: seed.idPrefix,
          from: toStoreTime(seed.from),
          to: toStoreTime(seed.to),
          ...after,
          pageRows,
        },
        { lane: 'tail' },
      )
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < pageRows) return
      const { partition, offset, ordinal } = last
      after = {
        at: last.published_at,
        partition: Number(partition),
        offset: Number(offset),
        ordinal,
      }
    }
  }
}

/** Empty buckets between the first and the last are told too: quiet times are part of what is usual. */
export async function* inBuckets(
  rows: AsyncIterable<MentionRow>,
  bucketMs: number,
): AsyncGenerator<HistoryBucket> {
  let bucket: { end: number; rows: MentionRow[] } | undefined
  for await (const row of rows) {
    if (!isHistory(row)) continue
    const end = (Math.floor(fromStoreTime(row.published_at) / bucketMs) + 1) * bucketMs
    bucket ??= { end, rows: [] }
    while (bucket.end < end) {
      yield bucket
      bucket = { end: bucket.end + bucketMs, rows: [] }
    }
    bucket.rows.push(row)
  }
  if (bucket !== undefined) yield bucket
}
