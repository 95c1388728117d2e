/** Where records go that get no verdict of experts: the topic `posts.dead`, with the reason. */
import { type Log, type LogRecord, topics } from '../infra/log/log.ts'
import type { PartitionId } from '../infra/store/store.ts'
import { deadLetter } from '../ingest/contract.ts'

export interface Refused {
  readonly record: LogRecord
  /** For people; holds nothing of the text. */
  readonly reason: string
}

/** Durable before the block that records it: a crash between the two repeats the letters under the same keys. */
export async function bury(
  log: Log,
  { logTopic, partition }: PartitionId,
  refused: readonly Refused[],
): Promise<void> {
  if (refused.length === 0) return
  const letters = refused.map(({ record, reason }) =>
    deadLetter({ topic: logTopic, partition, ...record }, reason),
  )
  await log.append(
    topics.dead,
    letters.map((letter) => ({ key: letter.origin, value: JSON.stringify(letter) })),
  )
}
