/** How fast posts arrive and how long they take: the last minute of the store, live posts only. */
import type { Store } from '../../infra/store/store.ts'
import { instant } from '../feed-post.ts'

export interface Rates {
  readonly newestAppendedAt: string | null
  readonly postsPerSecond: number
  /** Median of scored_at - appended_at in milliseconds over those posts; null without any. */
  readonly delayMs: number | null
}

const spanSeconds = 60

const sql = `
SELECT
  maxOrNull(appended_at) AS newest,
  toUInt32(countIf(appended_at > since AND NOT history)) AS posts,
  medianOrNullIf(toUnixTimestamp64Milli(scored_at) - toUnixTimestamp64Milli(appended_at), appended_at > since AND NOT history) AS delayMs
FROM (
  SELECT appended_at, scored_at, history, fromUnixTimestamp64Milli({now:Int64}, 'UTC') - INTERVAL ${spanSeconds} SECOND AS since
  FROM analyses
  WHERE outcome = 'scored' AND ordinal = 0
)`

export async function readRates(store: Store, now: number): Promise<Rates> {
  const [row] = await store.query<{ newest: string | null; posts: number; delayMs: number | null }>(
    sql,
    { now },
  )
  return {
    newestAppendedAt: row?.newest == null ? null : instant(row.newest),
    postsPerSecond: (row?.posts ?? 0) / spanSeconds,
    delayMs: row?.delayMs ?? null,
  }
}
