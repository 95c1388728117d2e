/** The newest scored posts with their mentions, page by page. */
import type { Store } from '../../infra/store/store.ts'
import type { FeedPost } from '../contract.ts'
import { type FeedRow, feedColumns, feedPost } from '../feed-post.ts'
import type { FindInstrument } from '../instruments.ts'

/** Where a page ends: the feed goes on strictly below it in (appended_at, partition, offset) order. */
export interface FeedPosition {
  readonly appendedMs: number
  readonly partition: number
  readonly offset: number
}

const sql = `
WITH newest AS (
  SELECT partition, offset
  FROM served_v
  WHERE log_topic = {logTopic:String}
    AND outcome = 'scored'
    AND ordinal = 0
    AND NOT history
    AND (appended_at, partition, offset)
      < (fromUnixTimestamp64Milli({appendedMs:Int64}, 'UTC'), {partition:UInt32}, {offset:Int64})
  ORDER BY appended_at DESC, partition DESC, offset DESC
  LIMIT {limit:UInt32}
)
SELECT ${feedColumns.join(', ')}
FROM served_v
WHERE log_topic = {logTopic:String} AND (partition, offset) IN newest
ORDER BY appended_at DESC, partition DESC, offset DESC, ordinal`

/** Later than any post: where the first page starts. */
const top: FeedPosition = { appendedMs: 4_102_444_800_000, partition: 4_294_967_295, offset: 0 }

export async function readFeed(
  store: Store,
  options: {
    readonly logTopic: string
    readonly limit: number
    readonly before: FeedPosition | undefined
    readonly find: FindInstrument
  },
): Promise<{ posts: FeedPost[]; before: string | null }> {
  const { logTopic, limit } = options
  const rows = await store.query<FeedRow>(sql, { logTopic, limit, ...(options.before ?? top) })
  const posts = groupByOffset(rows).map((group) => feedPost(group, options.find))
  const last = posts.at(-1)
  return {
    posts,
    before: posts.length < limit || last === undefined ? null : encodePosition(last),
  }
}

/** Rows of one offset stand together; a new post begins at ordinal 0. */
export function groupByOffset<Row extends { readonly ordinal: number }>(
  rows: readonly Row[],
): [Row, ...Row[]][] {
  const groups: [Row, ...Row[]][] = []
  for (const row of rows) {
    if (row.ordinal === 0) groups.push([row])
    else groups.at(-1)?.push(row)
  }
  return groups
}

function encodePosition(post: FeedPost): string {
  return `${Date.parse(post.appendedAt)}.${post.partition}.${post.offset}`
}

export function decodePosition(text: string): FeedPosition | undefined {
  const match = /^(\d{1,15})\.(\d{1,9})\.(\d{1,15})$/.exec(text)
  if (match === null) return undefined
  const [appendedMs = 0, partition = 0, offset = 0] = match.slice(1).map(Number)
  return { appendedMs, partition, offset }
}
