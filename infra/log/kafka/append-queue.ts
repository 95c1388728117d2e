/**
 * Appends to one partition, one send at a time: a send that is retried may land after a later one, and would turn the order around. What
 * arrives meanwhile goes together with the next send.
 */
import { AppError } from '../../errors.ts'
import type { NewRecord } from '../log.ts'

/** What Kafka adds to a record and to a batch, at most. */
const recordOverhead = 32
const batchOverhead = 128

export interface AppendQueueDeps {
  /** The largest batch that the topic takes. */
  readonly maxBytes: number
  /** Answers the offset of the first record. */
  send(records: readonly NewRecord[]): Promise<number>
}

interface Entry {
  readonly records: readonly NewRecord[]
  readonly offsets: number[]
  /** How many are in a send or beyond it. */
  taken: number
  failed: boolean
  resolve(offsets: readonly number[]): void
  reject(error: unknown): void
}

interface Share {
  readonly entry: Entry
  readonly records: readonly NewRecord[]
}

export class AppendQueue {
  readonly #deps: AppendQueueDeps
  #waiting: Entry[] = []
  #running: Promise<void> | undefined

  constructor(deps: AppendQueueDeps) {
    this.#deps = deps
  }

  /** The offsets of the records. Throws `LOG` for a record that never fits; then nothing is sent. */
  append(records: readonly NewRecord[]): Promise<readonly number[]> {
    if (records.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, offsets: [], taken: 0, failed: false, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve() // callers of one turn share a send
    while (this.#waiting.length > 0) await this.#sendNext(this.#takeBatch())
    this.#running = undefined
  }

  #takeBatch(): Share[] {
    const shares: Share[] = []
    let room = this.#deps.maxBytes - batchOverhead
    for (const entry of this.#waiting) {
      const start = entry.taken
      for (;;) {
        const record = entry.records[entry.taken]
        if (record === undefined) break
        const bytes = bytesOf(record)
        if (bytes > room && (shares.length > 0 || entry.taken > start)) break
        room -= bytes
        entry.taken += 1
      }
      if (entry.taken > start)
        shares.push({ entry, records: entry.records.slice(start, entry.taken) })
      if (entry.taken < entry.records.length) break
    }
    return shares
  }

  async #sendNext(shares: readonly Share[]): Promise<void> {
    try {
      let offset = await this.#deps.send(shares.flatMap(({ records }) => records))
      for (const { entry, records } of shares) for (const _ of records) entry.offsets.push(offset++)
    } catch (error) {
      for (const { entry } of shares) {
        entry.failed = true
        entry.reject(error)
      }
    }
    for (const { entry } of shares)
      if (entry.offsets.length === entry.records.length) entry.resolve(entry.offsets)
    this.#waiting = this.#waiting.filter(
      (entry) => !entry.failed && entry.offsets.length < entry.records.length,
    )
  }
}

/** Throws `LOG` when one of the records is larger than a batch may be. */
export function checkRecordSizes(
  topic: string,
  records: readonly NewRecord[],
  maxBytes: number,
): void {
  for (const record of records) {
    const bytes = bytesOf(record) + batchOverhead
    if (bytes > maxBytes)
      throw new AppError(
        'LOG',
        `A record of ${bytes} bytes: the limit of the topic ${topic} is ${maxBytes}`,
      )
  }
}

function bytesOf({ key, value }: NewRecord): number {
  return recordOverhead + Buffer.byteLength(value) + (key === null ? 0 : Buffer.byteLength(key))
}
