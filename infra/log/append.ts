/** Appending to the embedded log, inside a write transaction. */
import { AppError } from '../errors.ts'
import type { Heads } from './heads.ts'
import type { NewRecord, Position } from './log.ts'
import { encodedBytes, encodeRecord } from './record-codec.ts'
import { expire, topicBytes } from './retention.ts'
import type { Storage, TopicRow } from './storage.ts'

/** A post has at most 20,000 characters: only a mistake is as large as this. */
export const maxRecordBytes = 16 * 1024 * 1024

export interface Append {
  readonly topic: TopicRow
  readonly records: readonly NewRecord[]
  /** What `sizeOf` said of them. */
  readonly bytes: number
  readonly now: number
  partitionOf(key: string | null, partitions: number): number
}

/** What the records will take, in bytes. Throws `LOG` for what can never be stored. */
export function sizeOf(topic: TopicRow, records: readonly NewRecord[]): number {
  const sizes = records.map(encodedBytes)
  const tooLong = sizes.find((bytes) => bytes > maxRecordBytes)
  if (tooLong !== undefined)
    throw new AppError('LOG', `A record of ${tooLong} bytes: the limit is ${maxRecordBytes}`)
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0)
  if (topic.retentionBytes !== null && total > topic.retentionBytes)
    throw new AppError(
      'LOG',
      `${total} bytes at once never fit the topic ${topic.name}, which keeps ${topic.retentionBytes}`,
    )
  return total
}

/** Throws `LOG_FULL`; nothing is appended then. */
export function appendInside(storage: Storage, heads: Heads, append: Append): Position[] {
  const { topic, records, bytes, now } = append
  makeRoom(storage, heads, topic, bytes, now)
  return records.map((record) => {
    const partition = append.partitionOf(record.key, topic.partitions)
    const head = heads.current(topic.id, partition)
    const timestamp = Math.max(now, head.lastTimestamp)
    const encoded = encodeRecord(record, timestamp)
    storage.records.put([topic.id, partition, head.end], encoded)
    heads.change(topic.id, partition, {
      begin: head.begin,
      end: head.end + 1,
      bytes: head.bytes + encoded.length,
      lastTimestamp: timestamp,
    })
    return { topic: topic.name, partition, offset: head.end }
  })
}

function makeRoom(
  storage: Storage,
  heads: Heads,
  topic: TopicRow,
  bytes: number,
  now: number,
): void {
  const { retentionBytes } = topic
  if (retentionBytes === null) return
  const fits = (): boolean => topicBytes(heads, topic) + bytes <= retentionBytes
  if (fits()) return
  expire(storage, heads, topic, now, bytes)
  if (fits()) return
  throw new AppError(
    'LOG_FULL',
    `The topic ${topic.name} is full (${retentionBytes} bytes), and its consumers have yet to read what it holds`,
    { retryable: true },
  )
}
