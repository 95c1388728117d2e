/** What was fetched of a partition and not handled yet: an unbroken run of offsets from what is handled to `tail`. */
import type { LogBatch, LogRecord } from '../log.ts'
import type { ReadLimits } from '../read.ts'
import type { FetchedBatch } from './driver.ts'

/** What a record costs beside its key and value. */
const recordOverhead = 64

export class PartitionBuffer {
  #records: LogRecord[] = []
  #first = 0
  #bytes = 0
  #tail: number
  #lastTimestamp = 0

  constructor(from: number) {
    this.#tail = from
  }

  /** The offset that the next batch must start from. */
  get tail(): number {
    return this.#tail
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `batch` starts at `tail`. */
  push(batch: Pick<FetchedBatch, 'next' | 'records'>): void {
    for (const { offset, timestamp, key, value } of batch.records) {
      this.#lastTimestamp = Math.max(this.#lastTimestamp, timestamp)
      const record: LogRecord = {
        offset,
        timestamp: this.#lastTimestamp,
        key: key === null ? null : key.toString(),
        value: value ?? Buffer.alloc(0),
      }
      this.#records.push(record)
      this.#bytes += bytesOf(record)
    }
    this.#tail = batch.next
  }

  /** The offsets from `from` on within the limits, one record at least; drops what stands below. `undefined` at the tail. */
  read(from: number, limits: ReadLimits): Pick<LogBatch, 'from' | 'next' | 'records'> | undefined {
    this.#drop(from)
    if (from >= this.#tail) return undefined
    const records: LogRecord[] = []
    let bytes = 0
    for (let i = this.#first; i < this.#records.length; i++) {
      const record = this.#records[i]
      if (record === undefined) break
      bytes += bytesOf(record)
      const isFull = records.length >= limits.maxRecords || bytes > limits.maxBytes
      if (isFull && records.length > 0) return { from, next: record.offset, records }
      records.push(record)
    }
    return { from, next: this.#tail, records }
  }

  #drop(below: number): void {
    for (;;) {
      const record = this.#records[this.#first]
      if (record === undefined || record.offset >= below) break
      this.#bytes -= bytesOf(record)
      this.#first += 1
    }
    if (this.#first < 1_024 && this.#first < this.#records.length) return
    this.#records = this.#records.slice(this.#first)
    this.#first = 0
  }
}

function bytesOf(record: LogRecord): number {
  return recordOverhead + record.value.length + (record.key?.length ?? 0)
}
