/**
 * Who of several processes does a work that only one shall do: the one whose member of a consumer group has the one partition of `control`. A
 * process that dies loses it within the group's session timeout. It is no fence: a process that slept longer than that timeout believes that
 * it holds the lock until its member hears otherwise, so what it does must be harmless twice.
 */
import { type Log, topics } from './log.ts'

export interface GroupLock {
  /** Asked before each step of the work. */
  isHeld(): boolean
  /** Hands it over. Idempotent. */
  stop(): Promise<void>
}

export async function joinGroupLock(
  log: Pick<Log, 'consume' | 'endOffsets'>,
  group: string,
): Promise<GroupLock> {
  const consumer = await log.consume(
    {
      topics: [topics.control],
      group,
      startAt: async (topic, partition) => (await log.endOffsets(topic))[partition] ?? 0,
    },
    async () => {},
  )
  return {
    isHeld: () => consumer.progress().length > 0,
    stop: () => consumer.stop(),
  }
}
