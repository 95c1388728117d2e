/**
 * Watches one group's member, whichever it is at the time. `watch.ts` decides when it is to be replaced; here are the counters, and what log
 * lines, health and metrics are told.
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
  type PartitionWatch,
  type Watch,
  type WatchLimits,
} from './watch.ts'

export interface WatchdogDeps {
  readonly group: string
  /** Milliseconds that only grow: a wall clock that is set must not look like a stall. */
  readonly monotonic: Clock
  readonly logger: Logger
  readonly limits?: Partial<WatchdogLimits> | undefined
}

export interface WatchdogLimits extends WatchLimits {
  /** A client that has not joined by then is given up. */
  readonly joinMs: number
  /** Partitions that were not read, or not known, for this long are told as a failure of health. */
  readonly failAfterMs: number
}

/** A cluster elects a leader in some seconds, and a rebalance waits for a slow member's session. */
export const defaultWatchdogLimits: WatchdogLimits = {
  stallMs: 30_000,
  assignmentMs: 60_000,
  settleMs: 30_000,
  maxStepMs: 5_000,
  maxDoublings: 5,
  joinMs: 60_000,
  failAfterMs: 120_000,
}

/** Why a member's place was taken by a new one. `ended`: its client gave up by itself. */
export type Replacement = Fault | 'ended'

export interface GroupStats {
  readonly group: string
  /** Of its members in this process, since the start. */
  readonly replacements: Readonly<Record<Replacement, number>>
}

export class Watchdog {
  readonly #deps: WatchdogDeps
  readonly #limits: WatchdogLimits
  readonly #replacements: Record<Replacement, number> = { ended: 0, unassigned: 0, stalled: 0 }
  #watch: Watch

  constructor(deps: WatchdogDeps) {
    this.#deps = deps
    this.#limits = { ...defaultWatchdogLimits, ...deps.limits }
    this.#watch = beginWatch(deps.monotonic())
  }

  /** Whether another member has to take the place of this one. To be asked every second or so. */
  look(reading: MemberReading): boolean {
    this.#watch = look(this.#watch, reading, this.#deps.monotonic(), this.#limits)
    const { fault } = this.#watch
    if (fault === undefined) return false
    this.replaced(fault)
    return true
  }

  /** Another member takes the place of this one. */
  replaced(why: Replacement): void {
    const { group, logger, monotonic } = this.#deps
    const { partitions, brokenMs, fruitless } = this.#watch
    const stalled = partitions.filter(({ state }) => state === 'stalled')
    logger.warn(
      { group, why, inARow: fruitless + 1, brokenMs, stalled },
      'a member of a consumer group does not work and is replaced',
    )
    this.#replacements[why] += 1
    this.#watch = afterReplacement(this.#watch, monotonic())
  }

  stats(): GroupStats {
    return { group: this.#deps.group, replacements: { ...this.#replacements } }
  }

  /** What keeps the group's partitions from being read; undefined while they are. */
  health(): AppError | undefined {
    const { group } = this.#deps
    const { failAfterMs } = this.#limits
    const { brokenMs, fruitless, suspects, partitions } = this.#watch
    if (brokenMs >= failAfterMs) {
      const what = suspects.size === 0 ? '' : ` of ${[...suspects.keys()].join(', ')}`
      return failure(
        `The group ${group} has read nothing${what} for ${Math.round(brokenMs / 1_000)} s; new members in a row: ${fruitless}`,
      )
    }
    const unknown = partitions.filter(
      ({ state, standingMs }) => state === 'unknown' && standingMs >= failAfterMs,
    )
    if (unknown.length === 0) return undefined
    return failure(`How far the group ${group} is behind in ${namesOf(unknown)} could not be asked`)
  }
}

const failure = (message: string): AppError => new AppError('LOG', message, { retryable: true })

const namesOf = (partitions: readonly PartitionWatch[]): string =>
  partitions.map(({ topic, partition }) => `${topic}/${partition}`).join(', ')
