/** The heat map: score and volume by topic and time. */
import type { Store } from '../../infra/store/store.ts'
import type { TopicRow, WindowInfo } from '../contract.ts'
import { fillSlots } from '../window.ts'

export const topicColumns = 24

interface Row {
  readonly topic: string
  readonly cells: readonly (readonly [number, number, number])[]
}

const sql = `
SELECT topic, groupArray((slot, posts, score)) AS cells
FROM (
  SELECT
    topic,
    toInt32(intDiv(toUnixTimestamp64Milli(published_at) - {from:Int64}, {slotMs:Int64})) AS slot,
    toUInt32(count()) AS posts,
    avg(score) AS score
  FROM served_v
  WHERE outcome = 'scored'
    AND ordinal = 0
    AND topic != ''
    AND published_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND published_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  GROUP BY topic, slot
)
GROUP BY topic
ORDER BY sum(posts) DESC, topic`

export async function readTopics(store: Store, window: WindowInfo): Promise<TopicRow[]> {
  const slotMs = Math.ceil((window.to - window.from) / topicColumns)
  const rows = await store.query<Row>(sql, { ...window, slotMs })
  return rows.map(({ topic, cells }) => ({
    topic,
    posts: cells.reduce((total, [, posts]) => total + posts, 0),
    cells: fillSlots(
      cells.map(([slot, posts, score]) => ({ slot, posts, score })),
      topicColumns,
      (cell) => ({ posts: cell?.posts ?? 0, score: cell?.score ?? null }),
    ),
  }))
}
