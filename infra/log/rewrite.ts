/** Giving records of the embedded log other values, at their offsets, with their keys and timestamps: for what must be forgotten. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Heads } from './heads.ts'
import type { LogRecord } from './log.ts'
import { type ReadLimits, readBatch } from './read.ts'
import { decodeRecord, encodeRecord } from './record-codec.ts'
import type { Storage, TopicRow } from './storage.ts'

/** The record's new value; undefined leaves it as it is. */
export type Replacement = (record: LogRecord) => string | undefined

export interface Rewriting {
  readonly storage: Storage
  readonly heads: Heads
  readonly topic: TopicRow
  readonly limits: ReadLimits
  write<T>(run: () => T): Promise<T>
}

interface Change {
  readonly offset: number
  readonly value: string
}

/** Of every record that the partition holds at the call; answers how many were rewritten. Batch by batch, each durable by itself. */
export async function rewritePartition(
  { storage, heads, topic, limits, write }: Rewriting,
  partition: number,
  replace: Replacement,
): Promise<number> {
  const { end } = heads.durable(topic.id, partition)
  let rewritten = 0
  for (let from = 0; from < end; await nextTurn()) {
    const head = heads.durable(topic.id, partition)
    const batch = readBatch(storage, topic.id, partition, head, from, limits)
    if (batch === undefined) break
    const changes = batch.records.flatMap((record) => {
      const value = replace(record)
      return value === undefined ? [] : [{ offset: record.offset, value }]
    })
    if (changes.length > 0)
      rewritten += await write(() => rewriteInside(storage, heads, topic, partition, changes))
    from = batch.next
  }
  return rewritten
}

function rewriteInside(
  storage: Storage,
  heads: Heads,
  { id }: TopicRow,
  partition: number,
  changes: readonly Change[],
): number {
  let rewritten = 0
  for (const { offset, value } of changes) {
    const key = [id, partition, offset]
    const bytes = storage.records.get(key)
    // Retention may have removed it since.
    if (bytes === undefined) continue
    const record = decodeRecord(bytes, offset)
    const encoded = encodeRecord({ key: record.key, value }, record.timestamp)
    storage.records.put(key, encoded)
    const head = heads.current(id, partition)
    heads.change(id, partition, { ...head, bytes: head.bytes + encoded.length - bytes.length })
    rewritten += 1
  }
  return rewritten
}
