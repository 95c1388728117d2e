/**
 * Retention of the embedded log: the oldest records leave when they are too old or the topic is too big, unless a registered group
 * still needs them. The cost is proportional to what is removed. All of it runs inside a write transaction.
 */
import type { Heads } from './heads.ts'
import { timestampOf } from './record-codec.ts'
import type { Storage, TopicRow } from './storage.ts'

/** Most records one transaction removes: bounds how long the event loop runs inside it. */
export const maxRemovals = 10_000

interface Queue {
  readonly partition: number
  /** The lowest offset that some group needs; the end where none is registered. */
  readonly limit: number
  begin: number
  oldest: Buffer | undefined
}

export function topicBytes(heads: Heads, topic: TopicRow): number {
  let bytes = 0
  for (let p = 0; p < topic.partitions; p++) bytes += heads.current(topic.id, p).bytes
  return bytes
}

/**
 * Removes what may leave `topic` so that `incoming` more bytes fit at time `now`, at most `maxRemovals` records.
 * Returns how many were removed.
 */
export function expire(
  storage: Storage,
  heads: Heads,
  topic: TopicRow,
  now: number,
  incoming = 0,
): number {
  const maxBytes = topic.retentionBytes ?? Number.POSITIVE_INFINITY
  const oldestKept = now - (topic.retentionMs ?? Number.POSITIVE_INFINITY)
  let excess = topicBytes(heads, topic) + incoming - maxBytes
  const queues = removableQueues(storage, heads, topic)
  const freed = new Map<Queue, number>()
  let removed = 0
  while (removed < maxRemovals) {
    const queue = oldestOf(queues)
    if (queue?.oldest === undefined) break
    if (excess <= 0 && timestampOf(queue.oldest) >= oldestKept) break
    storage.records.remove([topic.id, queue.partition, queue.begin])
    freed.set(queue, (freed.get(queue) ?? 0) + queue.oldest.length)
    excess -= queue.oldest.length
    removed += 1
    queue.begin += 1
    queue.oldest = oldestRecord(storage, topic, queue)
  }
  for (const [queue, bytes] of freed) {
    const head = heads.current(topic.id, queue.partition)
    heads.change(topic.id, queue.partition, {
      ...head,
      begin: queue.begin,
      bytes: head.bytes - bytes,
    })
  }
  return removed
}

function removableQueues(storage: Storage, heads: Heads, topic: TopicRow): Queue[] {
  const needs = neededOffsets(storage, topic)
  return Array.from({ length: topic.partitions }, (_, partition) => {
    const { begin, end } = heads.current(topic.id, partition)
    const queue: Queue = {
      partition,
      limit: Math.min(end, needs.get(partition) ?? end),
      begin,
      oldest: undefined,
    }
    queue.oldest = oldestRecord(storage, topic, queue)
    return queue
  })
}

function neededOffsets(storage: Storage, topic: TopicRow): Map<number, number> {
  const needed = new Map<number, number>()
  for (const { key, value } of storage.groups.range([topic.id], [topic.id + 1])) {
    const partition = Number(key[2])
    needed.set(partition, Math.min(value.needs, needed.get(partition) ?? value.needs))
  }
  return needed
}

function oldestRecord(storage: Storage, topic: TopicRow, queue: Queue): Buffer | undefined {
  if (queue.begin >= queue.limit) return undefined
  return storage.records.get([topic.id, queue.partition, queue.begin])
}

function oldestOf(queues: readonly Queue[]): Queue | undefined {
  let best: Queue | undefined
  for (const queue of queues)
    if (queue.oldest !== undefined && isOlder(queue.oldest, best?.oldest)) best = queue
  return best
}

function isOlder(one: Buffer, other: Buffer | undefined): boolean {
  return other === undefined || timestampOf(one) < timestampOf(other)
}
