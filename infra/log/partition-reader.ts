/**
 * Delivers one partition to one handler, batch after batch.
 *
 * starting -> (startAt answered) -> reading <-> waiting for records, for `resume`, or for a backoff to pass -> ended.
 * A failure repeats the step after a backoff; a failure that says it is not retryable ends the partition. `stop` ends it after the
 * batch in hand.
 */
import { setImmediate } from 'node:timers/promises'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { LogBatch, Position } from './log.ts'

export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

export interface PartitionReaderDeps {
  readonly topic: string
  readonly partition: number
  /** The offset to read first. */
  start(): Promise<number>
  /** The records from `from` on, or `undefined` when there are none yet. */
  read(from: number): Pick<LogBatch, 'from' | 'next' | 'records'> | undefined
  onBatch(batch: LogBatch): Promise<void>
  onStopped(error: unknown): void
  /** No further batch will come. */
  onEnd(): void
  /** Asked for every answer of a batch's `isCurrent`, beside `lose`. */
  isCurrent?(): boolean
  readonly backoff: Backoff
  readonly logger: Logger
}

export class PartitionReader {
  readonly #deps: PartitionReaderDeps
  #running: Promise<void> | undefined
  #stopping = false
  #ended = false
  #paused = false
  #failures = 0
  #wake: (() => void) | undefined
  #offset: number | undefined

  constructor(deps: PartitionReaderDeps) {
    this.#deps = deps
  }

  /** Where it stands; `undefined` before the start is known and after the end. */
  get position(): Position | undefined {
    const { topic, partition } = this.#deps
    if (this.#ended || this.#offset === undefined) return undefined
    return { topic, partition, offset: this.#offset }
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Resolves when the batch in hand is done. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.wake()
    await this.#running
  }

  /** The partition is another's by now: what is still done with the batch in hand counts for nothing. Resolves like `stop`. */
  lose(): Promise<void> {
    this.#ended = true
    return this.stop()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.wake()
  }

  /** Something may have changed: look again. */
  wake(): void {
    this.#wake?.()
  }

  async #run(): Promise<void> {
    const { topic, partition, logger, start, onStopped, onEnd } = this.#deps
    try {
      this.#offset = await this.#repeat(start)
      while (this.#offset !== undefined) {
        const from = this.#offset
        this.#offset = await this.#repeat(() => this.#step(from))
      }
      this.#ended = true
    } catch (error) {
      if (this.#ended) return
      this.#ended = true
      logger.error({ err: error, topic, partition }, 'reading a partition stopped for good')
      onStopped(error)
    } finally {
      onEnd()
    }
  }

  /** Delivers what stands at `from`, or waits; answers where to go on. */
  async #step(from: number): Promise<number> {
    const batch = this.#paused ? undefined : this.#deps.read(from)
    if (batch === undefined) {
      await this.#untilWoken()
      return from
    }
    const { topic, partition } = this.#deps
    const isCurrent = (): boolean => !this.#ended && (this.#deps.isCurrent?.() ?? true)
    await this.#deps.onBatch({ topic, partition, ...batch, isCurrent })
    await setImmediate() // a long run of ready batches must not starve the event loop
    return batch.next
  }

  /** `undefined` once stopping. Throws what must not be repeated. */
  async #repeat<T>(step: () => Promise<T>): Promise<T | undefined> {
    while (!this.#stopping) {
      try {
        const result = await step()
        this.#failures = 0
        return result
      } catch (error) {
        if (error instanceof AppError && !error.retryable) throw error
        await this.#backOff(error)
      }
    }
    return undefined
  }

  async #backOff(error: unknown): Promise<void> {
    const { backoff, logger, topic, partition } = this.#deps
    const waitMs = Math.min(backoff.firstMs * 2 ** this.#failures, backoff.maxMs)
    this.#failures += 1
    logger.warn({ err: error, topic, partition, waitMs }, 'a batch failed and will be repeated')
    let waiting = true
    const timer = setTimeout(() => {
      waiting = false
      this.wake()
    }, waitMs)
    while (waiting && !this.#stopping) await this.#untilWoken()
    clearTimeout(timer)
  }

  #untilWoken(): Promise<void> {
    if (this.#stopping) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
