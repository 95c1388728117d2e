/**
 * Reads topics as a member of a consumer group.
 *
 * joining -> (assigned) reading -> (assigned anew, crashed, replaced, silent for too long) joining or reading again -> stopped. Each assignment
 * is a generation: all that belongs to an earlier one is lost at that moment, and every partition is asked for its start again. A process
 * that the broker has not heard of for a session's length counts its partitions as lost by its own clock: it may have slept, and others
 * have them.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { AppError, describeError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { ConsumeOptions, LogBatch, Progress } from '../log.ts'
import type { Backoff } from '../partition-reader.ts'
import type { ReadLimits } from '../read.ts'
import { AssignedPartition } from './assigned-partition.ts'
import type { KafkaDriver, Member, OffsetRange, TopicPartition } from './driver.ts'
import type { MemberReading } from './watch.ts'
import {
  defaultWatchdogLimits,
  type GroupStats,
  Watchdog,
  type WatchdogLimits,
} from './watchdog.ts'

/** How often the ends of the partitions are asked for. */
const pollMs = 1_000
/** An answer about the ends that takes longer counts as none. */
const endsMs = 5_000
/** How long a member may take to leave before another one joins beside it. */
const leaveMs = 5_000

/** A member that ended sooner did no work. */
const shortLifeMs = 15_000
/** A coordinator that has just begun, or just moved, refuses for a moment. */
const firstJoinAttempts = 6

export interface GroupReaderDeps extends Pick<ConsumeOptions, 'topics' | 'group'> {
  readonly driver: KafkaDriver
  /** What log lines and metrics call the group. */
  readonly name: string
  /** Checked: an offset. */
  startAt(topic: string, partition: number): Promise<number>
  onBatch(batch: LogBatch): Promise<void>
  onStopped(topic: string, partition: number, error: unknown): void
  onLost(topic: string, partition: number): void
  readonly sessionTimeoutMs: number
  /** Milliseconds that no change of the wall clock moves. */
  readonly monotonic: () => number
  readonly limits: ReadLimits
  readonly watchdog?: Partial<WatchdogLimits> | undefined
  readonly backoff: Backoff
  readonly logger: Logger
}

export class GroupReader {
  readonly #deps: GroupReaderDeps
  readonly #assigned = new Map<string, AssignedPartition>()
  /** Handlers of lost partitions that still work. */
  readonly #ending = new Map<string, Promise<unknown>>()
  readonly #paused = new Set<string>()
  /** Partitions that stopped for good. */
  readonly #dead = new Set<string>()
  readonly #stopping = new AbortController()
  readonly #watchdog: Watchdog
  readonly #joinMs: number
  /** Of the present member: what an earlier one still tells is not heard. */
  #membership: symbol | undefined
  /** `undefined` until the present member was told. */
  #partitions: readonly TopicPartition[] | undefined
  #generation = 0
  #member: Member | undefined
  #aliveAt = 0
  #joinedAt = 0
  #shortLives = 0
  #lapsed = false
  #starting: Promise<void> | undefined
  #polling: Promise<void> | undefined
  #replacing: Promise<void> | undefined
  #stopped: Promise<void> | undefined

  constructor(deps: GroupReaderDeps) {
    this.#deps = deps
    const { name, monotonic, logger, watchdog } = deps
    this.#joinMs = watchdog?.joinMs ?? defaultWatchdogLimits.joinMs
    this.#watchdog = new Watchdog({ group: name, monotonic, logger, limits: watchdog })
  }

  /** Rejects when the group cannot be joined, after a few attempts. */
  async start(): Promise<void> {
    this.#starting = this.#joinUntilIn(firstJoinAttempts)
    await this.#starting
    this.#polling = this.#poll()
  }

  pause(topic: string, partition: number): void {
    this.#paused.add(keyOf({ topic, partition }))
    this.#assigned.get(keyOf({ topic, partition }))?.pause()
  }

  resume(topic: string, partition: number): void {
    this.#paused.delete(keyOf({ topic, partition }))
    this.#assigned.get(keyOf({ topic, partition }))?.resume()
  }

  progress(): readonly Progress[] {
    return [...this.#assigned.values()].flatMap(({ progress }) => progress ?? [])
  }

  stats(): GroupStats {
    return this.#watchdog.stats()
  }

  health(): AppError | undefined {
    return this.#watchdog.health()
  }

  /** Throws `LOG` for a partition that this member does not have. */
  async commit(topic: string, partition: number, next: number): Promise<void> {
    const { group } = this.#deps
    const held = this.#assigned.get(keyOf({ topic, partition }))
    if (held === undefined || this.#member === undefined || this.#hasLapsed())
      throw new AppError('LOG', `Another consumer of ${group} has taken over ${topic}/${partition}`)
    await held.commit(next)
  }

  /** Leaves the group and joins it as a new member, again and again until it is in. */
  replaceMember(): Promise<void> {
    this.#replacing ??= this.#replace().finally(() => {
      this.#replacing = undefined
    })
    return this.#replacing
  }

  async #replace(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const old = this.#member
    this.#membership = undefined
    this.#loseAll()
    this.#member = undefined
    if (old !== undefined) await this.#within(leaveMs, old.leave())
    await this.#restBeforeJoining()
    await this.#joinUntilIn()
  }

  /** What ends one member soon, such as a batch that cannot be decoded, ends the next one too. */
  async #restBeforeJoining(): Promise<void> {
    const { backoff, monotonic } = this.#deps
    const livedMs = monotonic() - this.#joinedAt
    this.#shortLives = livedMs < shortLifeMs ? this.#shortLives + 1 : 0
    if (this.#shortLives < 2) return
    await this.#wait(Math.min(backoff.firstMs * 2 ** this.#shortLives, backoff.maxMs))
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    const readers = [...this.#assigned.values()].map((partition) => partition.stop())
    await Promise.all([...readers, ...this.#ending.values()])
    this.#loseAll()
    await Promise.allSettled([this.#starting, this.#replacing])
    await this.#member?.leave()
    await this.#polling
  }

  async #joinOnce(): Promise<void> {
    const membership = Symbol()
    this.#membership = membership
    this.#partitions = undefined
    const joining = this.#join(() => this.#membership === membership)
    const member = await this.#within(this.#joinMs, joining)
    if (member === undefined) {
      this.#membership = undefined
      joining.then(
        (late) => late.leave(),
        () => undefined,
      )
      throw new AppError('LOG', `Nothing came of joining the group ${this.#deps.name}`, {
        retryable: true,
      })
    }
    this.#member = member
    this.#joinedAt = this.#deps.monotonic()
    this.#begin(this.#partitions)
  }

  #join(isPresent: () => boolean): Promise<Member> {
    const { driver, group, topics, sessionTimeoutMs, logger } = this.#deps
    return driver.join({
      group,
      topics,
      sessionTimeoutMs,
      onAssigned: (partitions) => {
        if (!isPresent()) return
        logger.info({ group, partitions: partitions.map(keyOf) }, 'partitions assigned')
        this.#loseAll()
        this.#lapsed = false
        this.#partitions = partitions
        if (this.#member !== undefined) this.#begin(partitions)
      },
      onAlive: () => {
        if (isPresent()) this.#heard()
      },
      onBatch: (batch) => isPresent() && (this.#assigned.get(keyOf(batch))?.take(batch) ?? false),
      onEnded: (error) => {
        if (!isPresent()) return
        logger.warn({ err: error, group }, 'out of the group: joining again')
        this.#watchdog.replaced('ended')
        void this.replaceMember()
      },
    })
  }

  async #joinUntilIn(attempts = Number.POSITIVE_INFINITY): Promise<void> {
    const { backoff, logger, group } = this.#deps
    for (let failures = 0; !this.#stopping.signal.aborted; failures++)
      try {
        await this.#joinOnce()
        return
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        if (failures + 1 >= attempts) throw error
        const waitMs = Math.min(backoff.firstMs * 2 ** failures, backoff.maxMs)
        logger.warn({ err: error, group, waitMs }, 'could not join the group')
        await this.#wait(waitMs)
      }
  }

  #heard(): void {
    this.#aliveAt = this.#deps.monotonic()
    if (!this.#lapsed) return
    this.#lapsed = false
    this.#begin(this.#partitions) // the broker did not notice: they are still ours
  }

  /** Whether the broker may have given the partitions away without our noticing. They are lost then, until it is heard of again. */
  #hasLapsed(): boolean {
    if (this.#lapsed) return true
    const silentMs = this.#deps.monotonic() - this.#aliveAt
    if (silentMs < this.#deps.sessionTimeoutMs) return false
    const { logger, group } = this.#deps
    logger.warn({ group, silentMs }, 'silent for longer than a session: partitions count as lost')
    this.#loseAll()
    this.#lapsed = true
    return true
  }

  #begin(partitions: readonly TopicPartition[] = []): void {
    if (this.#stopping.signal.aborted) return
    for (const partition of partitions) this.#beginOne(partition)
  }

  #beginOne({ topic, partition }: TopicPartition): void {
    const key = keyOf({ topic, partition })
    if (this.#dead.has(key)) return
    const { startAt, onBatch, onStopped, onLost, limits, backoff, logger } = this.#deps
    const generation = this.#generation
    const isCurrent = (): boolean => this.#generation === generation && !this.#hasLapsed()
    const assigned: AssignedPartition = new AssignedPartition({
      topic,
      partition,
      member: () => this.#memberNow(),
      free: this.#ending.get(key) ?? Promise.resolve(),
      startAt: () => startAt(topic, partition),
      range: () => this.#range(topic, partition),
      onBatch,
      onStopped: (error) => {
        this.#dead.add(key)
        onStopped(topic, partition, error)
      },
      onAstray: () => {
        if (this.#assigned.get(key) !== assigned) return
        logger.warn({ topic, partition }, 'the partition is not where it was read: asking anew')
        this.#loseOne(key, assigned)
        this.#beginOne({ topic, partition })
      },
      onLost: () => {
        if (!this.#stopping.signal.aborted) onLost(topic, partition)
      },
      isCurrent,
      limits,
      backoff,
      logger,
    })
    this.#assigned.set(key, assigned)
    if (this.#paused.has(key)) assigned.pause()
    assigned.start()
  }

  #loseAll(): void {
    this.#generation += 1
    for (const [key, partition] of this.#assigned) this.#loseOne(key, partition)
  }

  #loseOne(key: string, partition: AssignedPartition): void {
    this.#assigned.delete(key)
    const ending = Promise.all([this.#ending.get(key), partition.lose()]).then(() => {
      if (this.#ending.get(key) === ending) this.#ending.delete(key)
    })
    this.#ending.set(key, ending)
  }

  #memberNow(): Member {
    if (this.#member === undefined)
      throw new AppError('LOG', 'not in the group', { retryable: true })
    return this.#member
  }

  async #range(topic: string, partition: number): Promise<OffsetRange> {
    const range = (await this.#deps.driver.offsets(topic))[partition]
    if (range !== undefined) return range
    throw new AppError('LOG', `${topic} has no partition ${partition}`, { retryable: true })
  }

  async #poll(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#wait(pollMs)
      await Promise.all(this.#deps.topics.map((topic) => this.#observe(topic)))
      if (this.#stopping.signal.aborted) return
      if (this.#watchdog.look(this.#reading())) void this.replaceMember()
    }
  }

  #reading(): MemberReading {
    if (this.#member === undefined) return 'joining'
    if (this.#partitions === undefined || this.#hasLapsed()) return 'unassigned'
    return [...this.#assigned.values()].map((partition) => partition.reading)
  }

  async #observe(topic: string): Promise<void> {
    const partitions = (this.#partitions ?? []).filter((assigned) => assigned.topic === topic)
    if (partitions.length === 0 || this.#stopping.signal.aborted) return
    const generation = this.#generation
    const asking = this.#deps.driver.offsets(topic).catch((error: unknown) => {
      this.#deps.logger.debug({ topic, error: describeError(error) }, 'the ends are not known')
      return undefined
    })
    const ranges = await this.#within(endsMs, asking)
    if (generation !== this.#generation) return
    for (const partition of partitions) {
      const range = ranges?.[partition.partition]
      const assigned = this.#assigned.get(keyOf(partition))
      if (range === undefined) assigned?.forgetEnd()
      else assigned?.observe(range)
    }
  }

  /** `undefined` when it takes longer, or this reader is stopped meanwhile. */
  async #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    const done = new AbortController()
    const signal = AbortSignal.any([done.signal, this.#stopping.signal])
    const late = delay(ms, undefined, { signal }).catch(() => undefined)
    try {
      return await Promise.race([work, late])
    } finally {
      done.abort()
    }
  }

  /** Also resolves when this reader is stopped. */
  async #wait(ms: number): Promise<undefined> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
