/** A tail over `analyses` for tests. */
import type { Store } from '../../infra/store/store.ts'
import type { Cursor, Tail } from '../../infra/store/tail.ts'

interface Position {
  readonly partition: number
  readonly offset: number
}

export function createTestTail(store: Store, logTopic: string): Tail {
  return {
    async read<Row>(cursor: Cursor, limit: number) {
      const rows = await store.query<Row & Position>(
        `SELECT * FROM analyses
        WHERE log_topic = {logTopic:String} AND (partition, offset) IN (
          SELECT partition, offset FROM analyses
          WHERE log_topic = {logTopic:String} AND ordinal = 0
            AND offset >= {cursor:Map(UInt32, Int64)}[partition]
          ORDER BY appended_at, partition, offset LIMIT {limit:UInt32})
        ORDER BY appended_at, partition, offset, ordinal`,
        {
          logTopic,
          limit,
          cursor: new Map(Object.entries(cursor).map(([p, o]) => [Number(p), o])),
        },
        { lane: 'tail' },
      )
      const next: Record<number, number> = { ...cursor }
      for (const { partition, offset } of rows) next[partition] = Number(offset) + 1
      return { rows, cursor: next }
    },
    async end() {
      const rows = await store.query<{ partition: number; next: number }>(
        'SELECT partition, toInt64(max(offset) + 1) AS next FROM analyses WHERE log_topic = {logTopic:String} GROUP BY partition',
        { logTopic },
        { lane: 'tail' },
      )
      return Object.fromEntries(rows.map(({ partition, next }) => [partition, Number(next)]))
    },
  }
}
