/** Takes checked rows of one request to the log, in chunks, and says of each row what became of it. */
import { AppError, describeError } from '../infra/errors.ts'
import { type Log, type NewRecord, topics } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Post, PostResult } from './contract.ts'

/** `retry`: not taken, for no fault of the row; sending it again is safe, as the pipeline knows a repeated id. */
export type Verdict =
  | {
      readonly index: number
      readonly id: string
      readonly verdict: 'accepted'
      readonly position: { readonly partition: number; readonly offset: number }
    }
  | { readonly index: number; readonly verdict: 'refused'; readonly reason: string }
  | { readonly index: number; readonly id?: string; readonly verdict: 'retry' }

export interface Taken {
  readonly verdicts: readonly Verdict[]
  /** The request holds more rows than one request may; those after the last verdict are not judged. */
  readonly cutOff: boolean
}

export interface IntakeLimits {
  readonly maxRows: number
  readonly chunkRecords: number
  readonly chunkBytes: number
  /** Of all requests together, waiting for the log. */
  readonly maxQueuedBytes: number
}

export const defaultLimits: IntakeLimits = {
  maxRows: 50_000,
  chunkRecords: 500,
  chunkBytes: 1_048_576,
  maxQueuedBytes: 32 * 1_048_576,
}

interface Pending {
  readonly index: number
  readonly id: string
  readonly record: NewRecord
}

export class Intake {
  readonly #log: Pick<Log, 'append'>
  readonly #logger: Logger
  readonly #limits: IntakeLimits
  readonly #appends = new Set<Promise<unknown>>()
  #queuedBytes = 0
  #running = false

  constructor(deps: { log: Pick<Log, 'append'>; logger: Logger; limits: IntakeLimits }) {
    this.#log = deps.log
    this.#logger = deps.logger
    this.#limits = deps.limits
  }

  /** Idempotent. */
  start(): void {
    this.#running = true
  }

  /** Takes no further row and waits for the appends under way. Idempotent. */
  async stop(): Promise<void> {
    this.#running = false
    await Promise.allSettled(this.#appends)
  }

  /**
   * Reads on only when the rows in hand are durable. After a failed append the remaining rows are `retry`. Resolves when every
   * `accepted` row is durable.
   */
  async take(batches: AsyncIterable<readonly PostResult[]>): Promise<Taken> {
    const verdicts: Verdict[] = []
    const chunk = new Chunk()
    let failed = false
    let cutOff = false
    const flush = async () => {
      failed = !(await this.#append(chunk.take(), verdicts))
    }
    for await (const rows of batches) {
      for (const row of rows) {
        const index = verdicts.length
        if (index === this.#limits.maxRows) {
          // The rest is read and thrown away: a client that is still sending would not see an answer.
          cutOff = true
          break
        }
        if (failed) verdicts.push({ index, verdict: 'retry' })
        else if (row.ok) {
          verdicts.push({ index, id: row.post.id, verdict: 'retry' })
          chunk.add(index, row.post)
          if (chunk.isFull(this.#limits)) await flush()
        } else verdicts.push({ index, verdict: 'refused', reason: row.reason })
      }
      if (!failed) await flush()
    }
    return { verdicts, cutOff }
  }

  /** Turns the verdicts of durable rows to `accepted`; false when the log did not take the chunk. */
  async #append({ rows, bytes }: { rows: Pending[]; bytes: number }, verdicts: Verdict[]) {
    if (rows.length === 0) return true
    this.#queuedBytes += bytes
    try {
      const positions = await this.#appendToLog(rows)
      rows.forEach(({ index, id }, i) => {
        const position = positions[i]
        if (position === undefined) return
        const { partition, offset } = position
        verdicts[index] = { index, id, verdict: 'accepted', position: { partition, offset } }
      })
      return true
    } catch (error) {
      this.#logger.warn({ rows: rows.length, reason: describeError(error) }, 'posts not appended')
      return false
    } finally {
      this.#queuedBytes -= bytes
    }
  }

  async #appendToLog(rows: readonly Pending[]) {
    if (!this.#running) throw new AppError('NOT_RUNNING', 'Ingest is not running')
    if (this.#queuedBytes > this.#limits.maxQueuedBytes)
      throw new AppError('LOG_FULL', 'Too much waits for the log', { retryable: true })
    const append = this.#log.append(
      topics.posts,
      rows.map(({ record }) => record),
    )
    this.#appends.add(append)
    try {
      return await append
    } finally {
      this.#appends.delete(append)
    }
  }
}

class Chunk {
  #rows: Pending[] = []
  #bytes = 0

  add(index: number, post: Post): void {
    const value = Buffer.from(JSON.stringify(post))
    this.#rows.push({ index, id: post.id, record: { key: post.id, value } })
    this.#bytes += value.byteLength
  }

  isFull(limits: IntakeLimits): boolean {
    return this.#rows.length >= limits.chunkRecords || this.#bytes >= limits.chunkBytes
  }

  /** Empties the chunk. */
  take(): { rows: Pending[]; bytes: number } {
    const taken = { rows: this.#rows, bytes: this.#bytes }
    this.#rows = []
    this.#bytes = 0
    return taken
  }
}
