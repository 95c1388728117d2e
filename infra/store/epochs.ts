/** Epochs: a log that was deleted and begun anew gets a new one, so that its offsets never meet the old rows. */
import type { Store } from './store.ts'
import { toStoreTime } from './store-time.ts'

/** The topic with its epoch, as `log_topic` holds it: 'posts@0'. */
export const logTopicOf = (topic: string, epoch: number): string => `${topic}@${epoch}`

/** 0 until `startEpoch` was called. */
export async function currentEpoch(store: Store, topic: string): Promise<number> {
  const [row] = await store.query<{ epoch: number }>(
    'SELECT max(epoch) AS epoch FROM log_epochs WHERE topic = {topic:String}',
    { topic },
  )
  return row?.epoch ?? 0
}

/** Begins the next epoch of a topic, durably, and returns it. */
export async function startEpoch(store: Store, topic: string, now: number): Promise<number> {
  const epoch = (await currentEpoch(store, topic)) + 1
  await store.insert('log_epochs', [{ topic, epoch, started_at: toStoreTime(now) }])
  return epoch
}
