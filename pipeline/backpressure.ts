/**
 * Which partitions are paused, so that this process holds no more of the log than it can work on: the log is the queue.
 *
 * - *flowing*: every partition is read.
 * - *holding*: the batches in hand, of all partitions together, have more bytes than `maxBytes`, or the oldest has been in hand longer
 *   than `maxMs`. All partitions are paused until the batches in hand are done: nothing more is fetched.
 * - *without experts*: a batch failed because no expert could judge it. Only its partition is read, again and again as failed batches
 *   are; the others are paused until one is judged.
 */
import type { Clock } from '../infra/clock.ts'
import { AppError } from '../infra/errors.ts'
import type { LogBatch } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'

export interface HoldLimits {
  /** Of the keys and values of the records in hand. */
  readonly maxBytes: number
  readonly maxMs: number
}

/** What is in hand now. */
export interface Held {
  readonly bytes: number
  /** How long the oldest batch has been in hand. */
  readonly oldestMs: number
  readonly pausedPartitions: number
}

export interface BackpressureDeps {
  readonly limits: HoldLimits
  readonly clock: Clock
  readonly logger: Logger
  pause(partition: number): void
  resume(partition: number): void
}

export class Backpressure {
  readonly #deps: BackpressureDeps
  readonly #batches = new Set<{ readonly bytes: number; readonly since: number }>()
  readonly #assigned = new Set<number>()
  readonly #paused = new Set<number>()
  /** The partition that finds out when experts answer again. */
  #probe: number | undefined

  constructor(deps: BackpressureDeps) {
    this.#deps = deps
  }

  /** What the consumer must be told when it is there at last. */
  get paused(): ReadonlySet<number> {
    return this.#paused
  }

  assigned(partition: number): void {
    this.#assigned.add(partition)
    this.#paused.delete(partition)
    this.#deps.resume(partition)
    this.look()
  }

  lost(partition: number): void {
    this.#assigned.delete(partition)
    this.#paused.delete(partition)
    if (this.#probe === partition) this.#probe = undefined
    this.look()
  }

  /** Does the work with the batch in hand. Rejects as the work does. */
  async holding<T>(batch: LogBatch, work: () => Promise<T>): Promise<T> {
    const entry = { bytes: bytesOf(batch), since: this.#deps.clock() }
    this.#batches.add(entry)
    this.look()
    try {
      const result = await work()
      this.#probe = undefined
      return result
    } catch (error) {
      if (isNoExpert(error) && batch.isCurrent()) this.#probe ??= batch.partition
      throw error
    } finally {
      this.#batches.delete(entry)
      this.look()
    }
  }

  /** Pauses and resumes by what is in hand now: batches grow older without an event. */
  look(): void {
    const { bytes, oldestMs } = this.held()
    const { maxBytes, maxMs } = this.#deps.limits
    const isHolding = bytes > maxBytes || oldestMs > maxMs
    for (const partition of this.#assigned) {
      const isProbe = partition === this.#probe
      const wanted = isHolding || (this.#probe !== undefined && !isProbe)
      if (wanted !== this.#paused.has(partition)) this.#switch(partition, wanted)
    }
  }

  held(): Held {
    const now = this.#deps.clock()
    const batches = [...this.#batches]
    return {
      bytes: batches.reduce((sum, batch) => sum + batch.bytes, 0),
      oldestMs: batches.reduce((oldest, { since }) => Math.max(oldest, now - since), 0),
      pausedPartitions: this.#paused.size,
    }
  }

  #switch(partition: number, paused: boolean): void {
    const { logger, pause, resume } = this.#deps
    if (paused) this.#paused.add(partition)
    else this.#paused.delete(partition)
    if (paused) pause(partition)
    else resume(partition)
    logger.debug({ partition, paused, ...this.held() }, 'consumption switched')
  }
}

function bytesOf({ records }: LogBatch): number {
  return records.reduce((sum, { key, value }) => sum + value.byteLength + (key?.length ?? 0), 0)
}

function isNoExpert(error: unknown): boolean {
  return error instanceof AppError && error.code === 'NO_EXPERT'
}
