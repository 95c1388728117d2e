/**
 * Watches one member of a group, and has it replaced by a new one when it stopped working without saying so. `watch.ts` decides; here are
 * the clock, the log lines, the counters and what health and metrics are told.
 */
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import {
  afterReplacement,
  beginWatch,
  type Fault,
  look,
  type MemberReading,
  type PartitionState,
  type PartitionWatch,
  type Watch,
  type WatchLimits,
} from './watch.ts'

export interface WatchdogDeps {
  readonly group: string
  /** How the member stands now. Must answer in bounded time; what could not be asked is `undefined` in the answer. */
  read(): Promise<MemberReading>
  /** Puts a new member in the place of the one that was read, whose batches are no longer current. Waits for neither. */
  replace(fault: Fault): void
  /** Milliseconds that only grow: a clock that is set must not look like a stall. */
  readonly clock: Clock
  readonly logger: Logger
  readonly limits?: Partial<WatchLimits>
  readonly checkEveryMs?: number
  /** Partitions that were not read for this long are told as a failure of health. */
  readonly failAfterMs?: number
}

export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  readonly state: PartitionState
  /** Records that were not delivered yet; `undefined`: not known, never 0. */
  readonly lag: number | undefined
}

/** For metrics: one series a partition, one a fault. */
export interface WatchdogStats {
  readonly group: string
  readonly partitions: readonly PartitionLag[]
  /** Members replaced since the start, by what was wrong with them. */
  readonly replacements: Readonly<Record<Fault, number>>
}

export interface Watchdog {
  /** Idempotent. */
  start(): void
  /** Nothing is replaced after it. Idempotent. */
  stop(): void
  /** Looks now instead of at the next turn: something was told. */
  wake(): void
  stats(): WatchdogStats
  /** What keeps the group's partitions from being read; undefined while they are. */
  health(): AppError | undefined
}

/** kafkajs waits 5 s for records at most, and a cluster elects a leader in some seconds; a rebalance may wait a minute for a slow member. */
export const defaultWatchLimits: WatchLimits = {
  stallMs: 30_000,
  assignmentMs: 120_000,
  crashMs: 1_000,
  settleMs: 30_000,
  maxStepMs: 5_000,
  maxDoublings: 5,
}

const defaultCheckEveryMs = 2_000
const defaultFailAfterMs = 120_000

export function createWatchdog(deps: WatchdogDeps): Watchdog {
  return new MemberWatchdog(deps)
}

class MemberWatchdog implements Watchdog {
  readonly #deps: WatchdogDeps
  readonly #limits: WatchLimits
  readonly #replacements: Record<Fault, number> = { crashed: 0, unassigned: 0, stalled: 0 }
  #watch: Watch
  #timer: NodeJS.Timeout | undefined
  #checking = false
  #running = false

  constructor(deps: WatchdogDeps) {
    this.#deps = deps
    this.#limits = { ...defaultWatchLimits, ...deps.limits }
    this.#watch = beginWatch(deps.clock())
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    this.#watch = beginWatch(this.#deps.clock())
    this.#scheduleNext()
  }

  stop(): void {
    this.#running = false
    clearTimeout(this.#timer)
  }

  wake(): void {
    if (this.#running && !this.#checking) void this.#check()
  }

  stats(): WatchdogStats {
    return {
      group: this.#deps.group,
      partitions: this.#watch.partitions.map(({ topic, partition, state, lag }) => ({
        topic,
        partition,
        state,
        lag,
      })),
      replacements: { ...this.#replacements },
    }
  }

  health(): AppError | undefined {
    const { group, failAfterMs = defaultFailAfterMs } = this.#deps
    const { brokenMs, fruitless, suspects, partitions } = this.#watch
    if (brokenMs >= failAfterMs) {
      const what = suspects.size === 0 ? '' : ` of ${[...suspects.keys()].join(', ')}`
      return failure(
        `The group ${group} has read nothing${what} for ${Math.round(brokenMs / 1_000)} s: ${fruitless} new members in a row did not help`,
      )
    }
    const unknown = partitions.filter(
      ({ state, standingMs }) => state === 'unknown' && standingMs >= failAfterMs,
    )
    if (unknown.length === 0) return undefined
    return failure(`How far the group ${group} is behind in ${namesOf(unknown)} could not be asked`)
  }

  #scheduleNext(): void {
    this.#timer = setTimeout(
      () => void this.#check(),
      this.#deps.checkEveryMs ?? defaultCheckEveryMs,
    )
    this.#timer.unref()
  }

  async #check(): Promise<void> {
    clearTimeout(this.#timer)
    this.#checking = true
    try {
      this.#judge(await this.#deps.read())
    } catch (error) {
      this.#deps.logger.error(
        { err: error, group: this.#deps.group },
        'a group could not be watched',
      )
    }
    this.#checking = false
    if (this.#running) this.#scheduleNext()
  }

  #judge(reading: MemberReading): void {
    if (!this.#running) return
    const { clock, replace } = this.#deps
    this.#watch = look(this.#watch, reading, clock(), this.#limits)
    const { fault } = this.#watch
    if (fault === undefined) return
    this.#report(fault)
    this.#replacements[fault] += 1
    this.#watch = afterReplacement(this.#watch, clock())
    replace(fault)
  }

  #report(fault: Fault): void {
    const { group, logger } = this.#deps
    const { partitions, waitingMs, brokenMs, fruitless } = this.#watch
    const stalled = partitions.filter(({ state }) => state === 'stalled')
    logger.warn(
      { group, fault, inARow: fruitless + 1, waitingMs, brokenMs, stalled },
      'a member of a consumer group does not work and is replaced',
    )
  }
}

const failure = (message: string): AppError => new AppError('LOG', message, { retryable: true })

const namesOf = (partitions: readonly PartitionWatch[]): string =>
  partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')
