/**
 * A generation of one partition: from the moment that the partition is assigned to this process until it is lost or assigned again.
 *
 * - *opened*: the mark is read, then the log's ends: a log that ends at or below the mark is another one (`LOG_REPLACED`). Reading
 *   starts at the mark, so that the first batch shows the record there, which must be the one that the table holds.
 * - *taken*: of each batch what is not stored yet, as old as the table must show it. Offsets that retention removed become a gap row
 *   before anything behind them. A log that went on behind offsets of which it said nothing ends the process: it starts again
 *   at the mark.
 * - *ended*: nothing that a generation still does has an effect. What was being judged is dropped, a block on its way meets the fence,
 *   nothing is committed. The next generation, here or elsewhere, reads the mark again.
 */
import type { Clock } from '../infra/clock.ts'
import { AppError } from '../infra/errors.ts'
import { type Log, type LogBatch, type LogRecord, topics } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { LastRow } from '../infra/store/offsets.ts'
import type { PartitionId } from '../infra/store/store.ts'
import { logReplaced, replacedBecause } from './writer/same-log.ts'
import { createPartitionWriter, type PartitionWriter, type WriterOptions } from './writer.ts'

export interface AssignmentDeps {
  readonly log: Pick<Log, 'beginningOffsets' | 'endOffsets'>
  readonly store: WriterOptions['store']
  readonly clock: Clock
  readonly logger: Logger
  /** So many offsets left the log unread. */
  onRemoved?(partition: number, offsets: number): void
}

/** The records of a batch that are not stored yet. */
export interface FreshRecords {
  readonly mark: number
  /** Their timestamps never go back, and never below what is stored. */
  readonly records: readonly LogRecord[]
  /** Below it nothing can be read any more. */
  readonly removedBelow: number
}

export class Assignment {
  readonly id: PartitionId
  readonly writer: PartitionWriter
  readonly #deps: AssignmentDeps
  readonly #ended = new AbortController()
  /** The offset behind what was handed out. */
  #next = 0

  private constructor(deps: AssignmentDeps, id: PartitionId) {
    this.#deps = deps
    this.id = id
    this.writer = createPartitionWriter({ ...deps, partition: id, signal: this.signal })
  }

  /** Rejects with `LOG_REPLACED`, and as the log and the store do. */
  static async open(deps: AssignmentDeps, id: PartitionId): Promise<Assignment> {
    const assignment = new Assignment(deps, id)
    await assignment.#open()
    return assignment
  }

  /** Aborted when the generation ends. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  /** The offset to read next. */
  get next(): number {
    return this.#next
  }

  /** Idempotent. */
  end(): void {
    this.#ended.abort()
  }

  /** Rejects with `LOG_REPLACED` when the record at the mark is another one, and with `LOG` when the log left offsets out. */
  async take(batch: LogBatch): Promise<FreshRecords> {
    let mark = await this.writer.mark()
    if (batch.next <= mark + 1 || batch.records.some(({ offset }) => offset === mark))
      mark = await this.#compare(await this.writer.last(), batch.records)
    const fresh = batch.records.filter(({ offset }) => offset > mark)
    const first = fresh[0]?.offset ?? batch.next
    const begin = first > mark + 1 ? await this.#begin() : 0
    this.#checkJoins(batch, mark, begin)
    if (mark >= 0) mark = await this.#closeRemoved(mark, Math.min(begin, first))
    const records = notBefore(await this.writer.appendedAt(), fresh)
    return { mark, records, removedBelow: begin }
  }

  /** The batch is done with, or stored before. */
  done({ next }: Pick<LogBatch, 'next'>): void {
    this.#next = Math.max(this.#next, next)
  }

  async #open(): Promise<void> {
    const last = await this.writer.last()
    const mark = await this.#compare(last, [])
    const begin = await this.#begin()
    if (mark >= 0) await this.#closeRemoved(mark, begin)
    else if (begin > 0)
      this.#deps.logger.info(
        { ...this.id, begin },
        'the log begins behind its first offsets: they are a gap',
      )
    this.#next = Math.max(mark, begin)
  }

  /** Answers the mark. The log is asked after the table: what another process stores meanwhile does not look like a log that shrank. */
  async #compare(last: LastRow | undefined, records: readonly LogRecord[]): Promise<number> {
    if (last === undefined) return -1
    const ends = await this.#deps.log.endOffsets(topics.posts)
    const end = ends[this.id.partition] ?? 0
    const record = records.find(({ offset }) => offset === last.mark)
    const why = replacedBecause(last, { end, record })
    if (why !== undefined) throw logReplaced(this.id, why)
    return last.mark
  }

  async #begin(): Promise<number> {
    return (await this.#deps.log.beginningOffsets(topics.posts))[this.id.partition] ?? 0
  }

  #checkJoins(batch: LogBatch, mark: number, begin: number): void {
    const expected = Math.max(this.#next, mark + 1, begin)
    if (batch.from <= expected) return
    throw new AppError(
      'LOG',
      `The log went on at ${batch.from} of ${this.id.logTopic}/${this.id.partition} without a word on the offsets from ${expected} on: a restart reads them`,
    )
  }

  /** Offsets from the mark to `begin` were removed before they were read. Answers the mark. */
  async #closeRemoved(mark: number, begin: number): Promise<number> {
    if (begin <= mark + 1) return mark
    const { logTopic, partition } = this.id
    this.#deps.logger.warn(
      { logTopic, partition, from: mark + 1, to: begin - 1 },
      'retention removed offsets before they were read: they are a gap',
    )
    this.#deps.onRemoved?.(partition, begin - mark - 1)
    return this.writer.write({ from: mark + 1, next: begin, rows: [], removedBelow: begin })
  }
}

/** Clocks of brokers differ: where a record is older than one before it, the table shows it as old as that one. */
function notBefore(floor: number, records: readonly LogRecord[]): LogRecord[] {
  let latest = floor
  return records.map((record) => {
    latest = Math.max(latest, record.timestamp)
    return record.timestamp === latest ? record : { ...record, timestamp: latest }
  })
}
