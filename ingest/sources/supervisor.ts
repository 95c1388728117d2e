/**
 * Runs one source, and answers for it: what it throws ends in its status and not in anybody else's way, and it is run again after a growing delay.
 *
 *     waiting -> reading -> waiting          a source with a schedule, at each of its times
 *     reading                                one that reads on by itself, until it is stopped
 *     reading -> failing -> reading          after a delay of 5 s to 30 min, or what its host asks for, at the next time of a schedule; a good
 *                                            reading resets it
 */
import { ExponentialBackoff, type IBackoff } from 'cockatiel'
import type { Clock } from '../../infra/clock.ts'
import type { SourceConfig } from '../../infra/config-sources.ts'
import { describeError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import { type ScheduledJob, schedule } from '../../infra/schedule.ts'
import type { Sleep } from '../replay.ts'
import type { Delivery } from './delivery.ts'
import type { SourceMetrics } from './metrics.ts'
import { noteItems, silentAfterMs, type Vigil } from './silence.ts'
import { type ReadingCounts, type RunContext, type Source, SourceError } from './source.ts'
import type { SourceState, StateStore } from './state.ts'

export type SourcePhase = 'stopped' | 'waiting' | 'reading' | 'failing'

export interface SourceStatus {
  readonly name: string
  readonly type: SourceConfig['type']
  readonly owner: string
  readonly phase: SourcePhase
  readonly failures: number
  readonly lastError: string | undefined
  readonly lastOddity: string | undefined
  readonly lastSuccessMs: number | undefined
  readonly lastItemMs: number | undefined
  readonly silentAfterMs: number | undefined
  readonly silent: boolean
  readonly nextRunMs: number | undefined
  readonly counts: ReadingCounts
}

export interface SupervisorDeps {
  readonly config: SourceConfig
  readonly source: Source
  readonly delivery: Delivery
  readonly state: StateStore
  readonly clock: Clock
  readonly sleep: Sleep
  /** From 0 to 1: sources of one schedule spread by it. */
  random(): number
  readonly logger: Logger
  readonly metrics: SourceMetrics
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number }
}

const longestDelayMs = 15_000
const shortestOutageMs = 15 * 60_000
const none: ReadingCounts = { fresh: 0, corrected: 0, repeated: 0, refused: 0 }

export class Supervisor {
  readonly #deps: SupervisorDeps
  readonly #backoffs: ExponentialBackoff<unknown>
  #stopping = new AbortController()
  #job: ScheduledJob | undefined
  #running: Promise<void> = Promise.resolve()
  #phase: SourcePhase = 'stopped'
  #failures = 0
  #backoff: IBackoff<unknown> | undefined
  #retryAtMs = -Infinity
  #lastError: string | undefined
  #lastOddity: string | undefined
  #lastSuccessMs: number | undefined
  #vigil: Vigil = {}
  /** Of the process: silence is counted from here where no item ever came. */
  #watchedSinceMs = 0
  #silent = false
  #counts = none

  constructor(deps: SupervisorDeps) {
    const { initialMs, maxMs } = deps.backoff ?? { initialMs: 5_000, maxMs: 30 * 60_000 }
    this.#deps = deps
    this.#backoffs = new ExponentialBackoff({ initialDelay: initialMs, maxDelay: maxMs })
  }

  /** Idempotent. The first reading begins at once. */
  start(): void {
    if (this.#phase !== 'stopped') return
    const { source, logger, clock, random } = this.#deps
    this.#stopping = new AbortController()
    this.#watchedSinceMs = clock()
    this.#phase = 'waiting'
    if (source.schedule === undefined) {
      this.#running = this.#runOn()
      return
    }
    this.#running = this.#runOnce()
    this.#job = schedule(source.schedule, 'UTC', () => this.#scheduled(), logger, {
      delayMs: () => random() * Math.min(longestDelayMs, this.#intervalMs() / 10),
    })
  }

  /** Resolves when nothing of the source runs any more. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#job?.stop()
    await this.#running
    this.#job = undefined
    this.#phase = 'stopped'
  }

  status(): SourceStatus {
    const { config } = this.#deps
    const [nextRun] = this.#job?.nextRuns(1) ?? []
    const isRetrying = this.#phase === 'failing'
    return {
      name: config.name,
      type: config.type,
      owner: config.owner,
      phase: this.#phase,
      failures: this.#failures,
      lastError: this.#lastError,
      lastOddity: this.#lastOddity,
      lastSuccessMs: this.#lastSuccessMs,
      lastItemMs: this.#vigil.lastItemMs,
      silentAfterMs: silentAfterMs(this.#vigil, config.silentAfterMinutes),
      silent: this.#silent,
      nextRunMs: isRetrying ? Math.max(this.#retryAtMs, nextRun ?? -Infinity) : nextRun,
      counts: this.#counts,
    }
  }

  /** Reports, once each, that the source has gone silent and that it is back. */
  watchSilence(): void {
    const { config, clock, logger, metrics } = this.#deps
    const { name, owner } = config
    const afterMs = silentAfterMs(this.#vigil, config.silentAfterMinutes)
    const sinceMs = this.#vigil.lastItemMs ?? this.#watchedSinceMs
    const silent = afterMs !== undefined && clock() - sinceMs > afterMs
    if (silent && !this.#silent) {
      const lastItem = new Date(sinceMs).toISOString()
      logger.warn({ source: name, owner, lastItem, silentAfterMs: afterMs }, 'source is silent')
    }
    if (!silent && this.#silent) logger.info({ source: name, owner }, 'source is back')
    this.#silent = silent
    metrics.silent(name, silent)
  }

  /** A run of the schedule that comes while a reading or its delay goes on is none. */
  async #scheduled(): Promise<void> {
    if (this.#phase === 'reading' || this.#deps.clock() < this.#retryAtMs) return
    this.#running = this.#runOnce()
    await this.#running
  }

  async #runOn(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#runOnce()
      const waitMs = this.#retryAtMs - this.#deps.clock()
      if (!signal.aborted && waitMs > 0)
        await this.#deps.sleep(waitMs, signal).catch(() => undefined)
    }
  }

  /** Never rejects. */
  async #runOnce(): Promise<void> {
    const { source, config } = this.#deps
    const { signal } = this.#stopping
    this.#phase = 'reading'
    try {
      const state = await this.#deps.state.load(config.name)
      this.#remember(state)
      await source.run(this.#context())
      this.#succeeded()
      this.#phase = 'waiting'
    } catch (error) {
      if (signal.aborted) return
      this.#failed(error)
    }
  }

  #context(): RunContext {
    const { config, state, delivery, logger } = this.#deps
    const { name, owner } = config
    return {
      delivery,
      signal: this.#stopping.signal,
      outageMs: this.#outageMs(),
      load: () => state.load(name),
      save: (next) => state.save(name, { ...next, ...this.#vigil }),
      onReading: (counts) => this.#read(counts),
      onOddity: (message) => {
        this.#lastOddity = message
        logger.warn({ source: name, owner, oddity: message }, 'source is odd')
      },
    }
  }

  /** 0 for a source without a schedule. */
  #intervalMs(): number {
    const [first = 0, second = 0] = this.#job?.nextRuns(2) ?? []
    return second - first
  }

  #outageMs(): number {
    return Math.max(shortestOutageMs, 3 * this.#intervalMs())
  }

  #remember({ lastItemMs, pauses, lastSuccessMs }: SourceState): void {
    this.#vigil = {
      ...(lastItemMs !== undefined && { lastItemMs }),
      ...(pauses !== undefined && { pauses }),
    }
    this.#lastSuccessMs ??= lastSuccessMs
  }

  #read(counts: ReadingCounts): void {
    const { clock, config, metrics } = this.#deps
    if (counts.fresh > 0) this.#vigil = noteItems(this.#vigil, clock())
    this.#counts = {
      fresh: this.#counts.fresh + counts.fresh,
      corrected: this.#counts.corrected + counts.corrected,
      repeated: this.#counts.repeated + counts.repeated,
      refused: this.#counts.refused + counts.refused,
    }
    metrics.read(config.name, counts, clock())
    this.#succeeded()
    this.watchSilence()
  }

  #succeeded(): void {
    const { config, logger, clock } = this.#deps
    if (this.#failures > 0)
      logger.info({ source: config.name, owner: config.owner }, 'source works again')
    this.#lastSuccessMs = clock()
    this.#failures = 0
    this.#lastError = undefined
    this.#backoff = undefined
    this.#retryAtMs = -Infinity
  }

  #failed(error: unknown): void {
    const { clock, config, logger, metrics } = this.#deps
    this.#phase = 'failing'
    this.#failures += 1
    this.#lastError = describeError(error)
    this.#backoff = this.#backoff?.next(undefined) ?? this.#backoffs.next()
    const askedMs = error instanceof SourceError ? (error.retryAtMs ?? -Infinity) : -Infinity
    this.#retryAtMs = Math.max(askedMs, clock() + this.#backoff.duration)
    metrics.failed(config.name)
    logger.warn(
      {
        source: config.name,
        owner: config.owner,
        failures: this.#failures,
        retryAt: new Date(this.#retryAtMs).toISOString(),
        error: this.#lastError,
      },
      'source failed',
    )
  }
}
