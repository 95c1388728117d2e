/** Reading one partition of the embedded log. */

import { AppError } from '../errors.ts'
import type { LogBatch, LogRecord } from './log.ts'
import { decodeRecord, timestampOf } from './record-codec.ts'
import type { Head, Storage } from './storage.ts'

export interface ReadLimits {
  readonly maxRecords: number
  readonly maxBytes: number
}

/** The records from `from` on within the limits, always one at least; `undefined` when the partition ends there. */
export function readBatch(
  storage: Storage,
  topicId: number,
  partition: number,
  head: Head,
  from: number,
  limits: ReadLimits,
): Pick<LogBatch, 'from' | 'next' | 'records'> | undefined {
  const { maxRecords, maxBytes } = limits
  if (from >= head.end) return undefined
  const first = Math.max(from, head.begin)
  const end = Math.min(head.end, first + maxRecords)
  const records: LogRecord[] = []
  let bytes = 0
  for (const { key, value } of storage.records.range(
    [topicId, partition, first],
    [topicId, partition, end],
  )) {
    bytes += value.length
    if (records.length > 0 && bytes > maxBytes) break
    records.push(decodeRecord(value, Number(key[2])))
  }
  const last = records.at(-1)?.offset
  if (last !== undefined) return { from, next: last + 1, records }
  if (head.begin === head.end) return { from, next: head.end, records }
  // Retention has just removed them, and `head` does not say so yet; or the folder is damaged. Reading again tells.
  throw new AppError('LOG', `Partition ${partition} has no record at ${first}`, { retryable: true })
}

/** The first offset of `head` whose timestamp is at or after `time`; its end where there is none. */
export function firstOffsetAt(
  storage: Storage,
  topicId: number,
  partition: number,
  head: Head,
  time: number,
): number {
  let [low, high] = [head.begin, head.end]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const bytes = storage.records.get([topicId, partition, middle])
    if (bytes !== undefined && timestampOf(bytes) >= time) high = middle
    else low = middle + 1
  }
  return low
}
