/**
 * One partition for as long as this member has it: asked where to start, placed there, fetched into a buffer, handed to the handler.
 *
 * asking (startAt) -> reading, or waiting where the start lies beyond the end -> lost. What does not fit together (the log ended below what
 * was read, a batch that does not start where the last one ended) is not mended: `onAstray` has the partition begun again from `startAt`.
 */
import type { Logger } from '../../logger.ts'
import type { LogBatch, Progress } from '../log.ts'
import { type Backoff, PartitionReader } from '../partition-reader.ts'
import type { ReadLimits } from '../read.ts'
import { Commits } from './commits.ts'
import type { FetchedBatch, Member, OffsetRange, TopicPartition } from './driver.ts'
import { PartitionBuffer } from './partition-buffer.ts'
import type { PartitionReading } from './watch.ts'

/** Fetching rests above the first and goes on below the second. */
const bufferBytes = { most: 4 * 1024 * 1024, least: 2 * 1024 * 1024 } as const

export interface AssignedPartitionDeps extends TopicPartition {
  /** Called when the partition is placed: it is there by then. */
  member(): Member
  /** Resolves when no handler works on this partition any more. */
  readonly free: Promise<unknown>
  /** Checked: an offset. */
  startAt(): Promise<number>
  range(): Promise<OffsetRange>
  onBatch(batch: LogBatch): Promise<void>
  onStopped(error: unknown): void
  onAstray(): void
  /** Its batches are no longer current. */
  onLost(): void
  isCurrent(): boolean
  readonly limits: ReadLimits
  readonly backoff: Backoff
  readonly logger: Logger
}

export class AssignedPartition {
  readonly #deps: AssignedPartitionDeps
  readonly #reader: PartitionReader
  readonly #commits: Commits
  #buffer: PartitionBuffer | undefined
  #phase: 'asking' | 'waiting' | 'reading' | 'lost' = 'asking'
  /** Fetching rests because the buffer is full. */
  #resting = false
  #end: number | undefined

  constructor(deps: AssignedPartitionDeps) {
    this.#deps = deps
    const { topic, partition, limits, backoff, logger } = deps
    this.#reader = new PartitionReader({
      topic,
      partition,
      start: () => this.#start(),
      read: (from) => this.#read(from, limits),
      onBatch: deps.onBatch,
      onStopped: (error) => {
        this.#leave()
        deps.onStopped(error)
      },
      onEnd: () => undefined,
      isCurrent: deps.isCurrent,
      backoff,
      logger,
    })
    this.#commits = new Commits({
      send: async (next) => deps.member().commit(topic, partition, next),
      onFailed: (next, err) =>
        logger.warn({ err, topic, partition, next }, 'a commit was not taken: going on'),
      isOver: () => this.#phase === 'lost',
    })
  }

  start(): void {
    this.#reader.start()
  }

  pause(): void {
    this.#reader.pause()
  }

  resume(): void {
    this.#reader.resume()
  }

  /** What the broker refuses is logged: the next commit comes. */
  commit(next: number): Promise<void> {
    return this.#commits.commit(next)
  }

  /** Resolves when the batch in hand is done. */
  stop(): Promise<void> {
    return this.#reader.stop()
  }

  /** At once; resolves when the batch in hand is done. */
  lose(): Promise<void> {
    this.#leave()
    const ended = this.#reader.lose()
    this.#deps.onLost()
    return ended
  }

  get progress(): Progress | undefined {
    const { position } = this.#reader
    if (position === undefined) return undefined
    const { topic, partition, offset } = position
    return { topic, partition, next: offset, end: this.#end }
  }

  /** For whoever watches whether the member still gets what the log holds. */
  get reading(): PartitionReading {
    const { topic, partition } = this.#deps
    return {
      topic,
      partition,
      next: this.#buffer?.tail,
      handled: this.#reader.position?.offset,
      end: this.#end,
      paused: this.#resting || this.#phase === 'lost',
    }
  }

  /** Whether the batch was taken. */
  take(batch: FetchedBatch): boolean {
    const buffer = this.#buffer
    if (this.#phase !== 'reading' || buffer === undefined) return false
    this.#end = Math.max(batch.end, batch.next)
    if (batch.from !== buffer.tail) {
      this.#deps.onAstray()
      return false
    }
    buffer.push(batch)
    if (!this.#resting && buffer.bytes >= bufferBytes.most) {
      this.#resting = true
      this.#deps.member().pause(this.#deps.topic, this.#deps.partition)
    }
    this.#reader.wake()
    return true
  }

  /** What the log said of the partition just now. */
  observe({ end }: OffsetRange): void {
    if (this.#buffer === undefined) return
    const { tail } = this.#buffer
    this.#end = end
    if (this.#phase === 'waiting' && end >= tail) this.#fetchFrom(tail)
    else if (this.#phase === 'reading' && end < tail) this.#deps.onAstray()
  }

  /** The log may have been told `undefined` for a while. */
  forgetEnd(): void {
    this.#end = undefined
  }

  async #start(): Promise<number> {
    await this.#deps.free
    const from = await this.#deps.startAt()
    const { begin, end } = await this.#deps.range()
    if (this.#phase === 'lost') return from
    this.#buffer = new PartitionBuffer(from)
    this.#end = end
    if (from > end) {
      this.#phase = 'waiting'
      const { topic, partition, logger } = this.#deps
      logger.warn(
        { topic, partition, from, end },
        'the partition ends below where to go on: waiting',
      )
      return from
    }
    if (from < begin) this.#buffer.push({ next: begin, records: [] })
    this.#fetchFrom(this.#buffer.tail)
    return from
  }

  #read(from: number, limits: ReadLimits): Pick<LogBatch, 'from' | 'next' | 'records'> | undefined {
    const buffer = this.#buffer
    const batch = buffer?.read(from, limits)
    if (this.#resting && buffer !== undefined && buffer.bytes < bufferBytes.least) {
      this.#resting = false
      if (this.#phase === 'reading')
        this.#deps.member().resume(this.#deps.topic, this.#deps.partition)
    }
    return batch
  }

  #fetchFrom(offset: number): void {
    const { topic, partition, member } = this.#deps
    this.#phase = 'reading'
    member().seek(topic, partition, offset)
    member().resume(topic, partition)
  }

  #leave(): void {
    if (this.#phase === 'reading') this.#deps.member().pause(this.#deps.topic, this.#deps.partition)
    this.#phase = 'lost'
  }
}
