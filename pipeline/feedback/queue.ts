/**
 * The label queue: the drawn posts of the last days that a labeller has not answered for, newest first. It shows what a reader of the post would see,
 * and nothing of what the system thinks of it, nor why it was drawn: both would colour the label.
 */
import Type from 'typebox'
import type { Clock } from '../../infra/clock.ts'
import type { Store } from '../../infra/store/store.ts'
import { toStoreTime } from '../../infra/store/store-time.ts'
import { kinds } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import { type Refused, refuse } from './label.ts'
import type { NewestLabels } from './newest-labels.ts'
import { findPosts, placeOf } from './scored-posts.ts'

export const QueuedPost = Type.Object({
  post_id: Type.String(),
  version: Type.Integer(),
  source: Type.String(),
  kind: Type.Enum(kinds),
  title: Type.String(),
  text: Type.String(),
  url: Type.String(),
  published_at: Type.String({ description: 'RFC 3339 in UTC.' }),
})
export type QueuedPost = Type.Static<typeof QueuedPost>

export interface Asking {
  readonly labeller: string
  readonly task: Task
}

export interface LabelQueue {
  next(asking: Asking & { readonly limit: number }): Promise<QueuedPost[]>
  /** The labeller is not shown the post again for this task. Durable when it resolves; undefined when it is done. */
  skip(
    asking: Asking & { readonly postId: string; readonly version: number | undefined },
  ): Promise<Refused | undefined>
}

export interface QueueDeps {
  readonly store: Store
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  readonly newest: Pick<NewestLabels, 'recentPlaces'>
  readonly clock: Clock
}

/** Older posts say little of the stream as it is. */
const queueMs = 28 * 24 * 3_600_000

interface Row extends Omit<QueuedPost, 'published_at'> {
  readonly log_topic: string
  readonly partition: number
  readonly offset: number
  readonly published_ms: number
}

const sql = `
WITH queued AS (
  SELECT partition, offset
  FROM analyses
  WHERE log_topic = {logTopic:String} AND label_draw != '' AND ordinal = 0 AND outcome = 'scored'
    AND appended_at > {since:DateTime64(3, 'UTC')} AND notEmpty(text)
    AND (partition, offset) NOT IN (
      SELECT partition, post_offset FROM labels
      WHERE log_topic = {logTopic:String} AND task = {task:String} AND labeller = {labeller:String} AND origin != 'chosen'
      UNION ALL
      SELECT partition, post_offset FROM label_skips
      WHERE log_topic = {logTopic:String} AND task = {task:String} AND labeller = {labeller:String})
  ORDER BY appended_at DESC, partition DESC, offset DESC
  LIMIT {limit:UInt32}
)
SELECT log_topic, partition, offset, post_id, version, source, kind, title, text, url, toUnixTimestamp64Milli(published_at) AS published_ms
FROM analyses
WHERE log_topic = {logTopic:String} AND ordinal = 0 AND (partition, offset) IN queued
ORDER BY appended_at DESC, partition DESC, offset DESC`

export function createLabelQueue({ store, logTopic, newest, clock }: QueueDeps): LabelQueue {
  return {
    async next({ labeller, task, limit }) {
      const answered = new Set(newest.recentPlaces(task, labeller))
      const since = toStoreTime(clock() - queueMs)
      const params = { logTopic, labeller, task, since, limit: limit + answered.size }
      const rows = await store.query<Row>(sql, params)
      return rows
        .filter((row) => !answered.has(placeOf(row)))
        .slice(0, limit)
        .map(({ log_topic, partition, offset, published_ms, ...post }) => ({
          ...post,
          published_at: new Date(published_ms).toISOString(),
        }))
    },

    async skip({ labeller, task, postId, version }) {
      const [post] = await findPosts(store, [{ postId, version }])
      if (post === undefined) return refuse('unknown-post', 'there is no such post')
      if ('verdict' in post) return post
      if (post.label_draw === '')
        return refuse('not-in-queue', 'the post does not stand in the label queue')
      const { log_topic, partition, offset: post_offset, post_id } = post
      const at = toStoreTime(clock())
      await store.insert('label_skips', [
        { log_topic, partition, post_offset, post_id, task, labeller, at },
      ])
      return undefined
    },
  }
}
