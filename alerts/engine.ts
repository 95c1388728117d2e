/**
 * The alert engine: reads the store in log order, closes buckets, folds them, and persists what follows.
 *
 * One pass: fold new `control` records, read the tail, close what is complete. Everything in memory derives from the
 * journal and the rows, so any failure is answered the same way: forget the memory, recover, go on.
 */
import type { Clock } from '../infra/clock.ts'
import { type Log, topics } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Cursor, Tail } from '../infra/store/tail.ts'
import type { ServedRange, ServingRecord } from '../pipeline/contract.ts'
import { Buckets, type Close, type LogEnd } from './buckets.ts'
import type { AlertEvent } from './contract.ts'
import type { BaselineSeed } from './control.ts'
import type { ControlReader } from './control-reader.ts'
import { AlertFold, type FoldOptions } from './fold.ts'
import { type History, inBuckets } from './history.ts'
import type { Journal, JournaledClose, Notification } from './journal.ts'
import { isLive } from './live.ts'
import type { AlertMetrics } from './metrics.ts'
import { foldedPast } from './rebase.ts'
import type { InForce } from './revised.ts'
import type { MentionRow } from './window.ts'

export interface EngineOptions {
  readonly tail: Tail
  readonly log: Pick<Log, 'endOffsets'>
  readonly control: ControlReader
  readonly history: History
  readonly inForce: InForce
  readonly journal: Journal
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: AlertMetrics
  readonly fold: FoldOptions
  readonly closeGraceMs: number
  readonly freshnessMs: number
  /** What an event asks to be sent. */
  notificationsOf(event: AlertEvent): readonly Notification[]
  /** Called once events and notifications are persisted. */
  onEvents(events: readonly AlertEvent[]): void
}

const readLimit = 5_000
/** Of the past that is folded when other experts begin to vote: older lessons weigh an eighth together, and each half-life takes its time. */
const halfLivesFolded = 3
/** Closes with rows between two checkpoints: what a restart has to fold again at most. */
const closesACheckpoint = 30

/** The engine's memory; a failed pass throws it away. */
interface Memory {
  readonly fold: AlertFold
  buckets: Buckets<MentionRow>
  /** Closes that were journaled and are yet to be replayed. */
  readonly replay: JournaledClose[]
  /** Offset of the next control record to fold. */
  control: number
  /** Of the control records below `control`: the ranges that show a re-scoring, and the history that taught the baselines. */
  coverage: readonly ServedRange[]
  seed: BaselineSeed | undefined
  /** `control` of the last journaled close. */
  journaledControl: number
  closesSinceCheckpoint: number
}

export class AlertEngine {
  readonly #options: EngineOptions
  #memory: Memory | undefined
  #isStale = false

  constructor(options: EngineOptions) {
    this.#options = options
  }

  /** The offset of the next `control` record to fold: everything below is in effect. */
  get control(): number {
    return this.#memory?.control ?? 0
  }

  /** The next pass begins from what is stored, as after a restart. */
  forgetMemory(): void {
    this.#isStale = true
  }

  /** One pass; true when there may be more to do at once. A rejected pass has forgotten the memory. */
  async pass(): Promise<boolean> {
    if (this.#isStale) this.#memory = undefined
    this.#isStale = false
    this.#memory ??= await this.#recover()
    const memory = this.#memory
    try {
      // Read before the tail: only a cursor at or behind an end of that time proves anything.
      const logEnd = await this.#logEnd()
      const batch = await this.#options.tail.read<MentionRow>(memory.buckets.cursor, readLimit)
      memory.buckets.take(await this.#options.inForce(batch.rows, memory.coverage), batch.cursor)
      // After the tail: what a new set of experts judged is read no sooner than the record that announces it, and folded later.
      await this.#foldControl(memory)
      const closed = await this.#closeComplete(memory, logEnd)
      this.#options.metrics.lag.set(memory.buckets.pending)
      return batch.rows.length > 0 || closed
    } catch (error) {
      this.#memory = undefined
      throw error
    }
  }

  async #recover(): Promise<Memory> {
    const { checkpoint, closes } = await this.#options.journal.recover()
    const control = checkpoint?.control ?? 0
    const start = { cursor: checkpoint?.cursor ?? {}, end: checkpoint?.end }
    return {
      fold: new AlertFold(this.#options.fold, checkpoint?.state),
      buckets: this.#bucketsFrom(start, closes),
      replay: [...closes],
      control,
      ...(await this.#inForceBelow(control)),
      journaledControl: checkpoint?.control ?? 0,
      closesSinceCheckpoint: closes.length,
    }
  }

  async #inForceBelow(control: number): Promise<Pick<Memory, 'coverage' | 'seed'>> {
    let coverage: readonly ServedRange[] = []
    let seed: BaselineSeed | undefined
    for (const { offset, record } of await this.#options.control.read(0)) {
      if (offset >= control) break
      if (record?.type === 'serving') coverage = record.coverage
      if (record?.type === 'baseline.seed') seed = record
    }
    return { coverage, seed }
  }

  #bucketsFrom(
    start: { readonly cursor: Cursor; readonly end: number | undefined },
    script: readonly JournaledClose[],
  ): Buckets<MentionRow> {
    const { fold, closeGraceMs } = this.#options
    return new Buckets({ bucketMs: fold.bucketMs, closeGraceMs, start, script })
  }

  async #logEnd(): Promise<LogEnd> {
    const readAt = this.#options.clock()
    return { readAt, offsets: await this.#options.log.endOffsets(topics.posts) }
  }

  /** Live, every record there is; in a replay, those that the next close had used. */
  async #foldControl(memory: Memory): Promise<void> {
    const until = memory.replay[0]?.control
    for (const { offset, record } of await this.#options.control.read(memory.control)) {
      if (until !== undefined && offset >= until) return
      if (record?.type === 'baseline.seed') await this.#seed(memory, record)
      if (record?.type === 'serving') await this.#switchOver(memory, record)
      if (record !== undefined) memory.closesSinceCheckpoint = closesACheckpoint
      memory.control = offset + 1
    }
  }

  async #seed(memory: Memory, seed: BaselineSeed): Promise<void> {
    const { history, fold, logger } = this.#options
    await memory.fold.seed(inBuckets(history.imported(seed, memory.coverage), fold.bucketMs))
    memory.seed = seed
    const series = memory.fold.seriesCount
    logger.info({ source: seed.source, series }, 'baselines learned from history')
  }

  /**
   * Other experts vote: between two closes, everything known of the past becomes what they say of it, baselines and open windows alike, and what
   * was read and not closed yet is read again. So changed experts are no news: neither side of the change is ever compared with the other.
   */
  async #switchOver(
    memory: Memory,
    { coverage, windowFrom, revision }: ServingRecord,
  ): Promise<void> {
    const { history, fold, logger } = this.#options
    const { lastEnd: end, closed: cursor } = memory.buckets
    if (end !== undefined) {
      const textsFrom = end - Math.max(...fold.volume.windows) * fold.bucketMs
      const from = Math.max(
        windowFrom,
        end - halfLivesFolded * fold.volume.halfLife * fold.bucketMs,
      )
      const live = history.live({ from, below: cursor, textsFrom }, coverage)
      const past = await foldedPast(fold, {
        imported: memory.seed === undefined ? none() : history.imported(memory.seed, coverage),
        live: this.#freshOf(live),
        until: end,
      })
      memory.fold.adopt(past)
    }
    memory.coverage = coverage
    memory.buckets = this.#bucketsFrom({ cursor, end }, memory.replay)
    logger.info(
      { revision, series: memory.fold.seriesCount },
      'baselines learned from a re-scoring',
    )
  }

  async *#freshOf(rows: AsyncIterable<MentionRow>): AsyncIterable<MentionRow> {
    for await (const row of rows) if (isLive(row, this.#options.freshnessMs)) yield row
  }

  async #closeComplete(memory: Memory, logEnd: LogEnd): Promise<boolean> {
    let closedAny = false
    while (true) {
      const hadReplay = memory.replay.length
      const close = memory.buckets.close(logEnd, memory.fold.isIdle)
      if (close === undefined) return closedAny
      closedAny = true
      await this.#fold(memory, close)
      if (memory.replay.length !== hadReplay) await this.#foldControl(memory)
    }
  }

  async #fold(memory: Memory, close: Close<MentionRow>): Promise<void> {
    const { journal, metrics, freshnessMs } = this.#options
    const stopTimer = metrics.evaluation.startTimer()
    const live = close.rows.filter((row) => isLive(row, freshnessMs))
    const events = memory.fold.closeBucket(close.end, live)
    stopTimer()
    metrics.closes.inc()
    const entry = { end: close.end, cursor: close.cursor, control: memory.control }
    if (memory.replay[0]?.end === close.end) {
      memory.replay.shift()
      memory.journaledControl = memory.control
    } else if (memory.replay.length === 0 && this.#mustJournal(memory, close, events)) {
      await journal.writeClose(entry, close.rows.length)
      memory.journaledControl = memory.control
      memory.closesSinceCheckpoint += 1
    }
    if (events.length > 0) {
      const notices = events.flatMap((event) => this.#options.notificationsOf(event))
      const newEvents = await journal.writeEvents(events, notices)
      for (const { state } of newEvents) metrics.events.inc({ state })
      this.#options.onEvents(newEvents)
    }
    if (memory.replay.length === 0 && memory.closesSinceCheckpoint >= closesACheckpoint) {
      await journal.writeCheckpoint({ ...entry, state: memory.fold.snapshot() })
      memory.closesSinceCheckpoint = 0
    }
  }

  /** An empty close that told nothing follows from the closes around it. */
  #mustJournal(memory: Memory, close: Close<MentionRow>, events: readonly AlertEvent[]): boolean {
    return close.rows.length > 0 || events.length > 0 || memory.control !== memory.journaledControl
  }
}

async function* none(): AsyncIterable<MentionRow> {}
