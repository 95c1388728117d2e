/**
 * The writer of one partition of one log: every consumed offset leaves its rows in `analyses` exactly once.
 *
 * A partition is in one of these states:
 * - *unknown*: the mark was not read yet, or the last write failed. Whoever needs it next reads it.
 * - *marked at H*: all offsets up to H are stored. `verify` compares the record at H with its row: another post there, or a log that
 *   ends below H + 1, means that the log was replaced, and the partition stops (`LOG_REPLACED`).
 * - *inserting H+1..E*: the block carries a token of its first offset, so that of two inserts at the same moment one lands, and a
 *   fence, so that one which comes later refuses itself. Whatever the answer, the mark is read back and alone decides (`nextStep`):
 *   it moved: marked at the new place, whoever moved it, and what lies at or below is skipped;
 *   it stands and the insert failed or its answer was lost: the same block with the same token again;
 *   it stands although the insert was acknowledged: the token is *poisoned* (a crash or a full disk between the token's entry and the
 *   part's rename), and the block goes again with the next attempt's token. Replicas may lag instead: then the writer only waits;
 *   it went back: rows were lost, and the partition stops.
 * Waits back off; after `maxRepeats` the write rejects with a retryable error, and the partition is unknown again.
 */
import type { Clock } from '../infra/clock.ts'
import { AppError } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { PartitionId, Store } from '../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../infra/store/store-time.ts'
import { type Backoff, jitteredBackoff } from './writer/backoff.ts'
import { type BlockWriting, writeBlock } from './writer/block.ts'
import { type BlockLimits, cutBlocks, defaultLimits } from './writer/blocks.ts'
import { fillGaps, type UnplacedRow } from './writer/gap.ts'

export type { UnplacedRow } from './writer/gap.ts'

export interface WriterOptions {
  readonly store: Pick<Store, 'mark' | 'insertBlock' | 'query' | 'boot' | 'replicated'>
  readonly partition: PartitionId
  readonly logger: Logger
  readonly clock: Clock
  readonly limits?: BlockLimits
  readonly backoff?: Backoff
  /** Inserts and readings of the mark that one block may repeat before the write rejects. */
  readonly maxRepeats?: number
  /** Ends waits: the write rejects at once. */
  readonly signal?: AbortSignal
}

/** The analysed records of offsets `from` (included) to `next` (excluded). */
export interface AnalysedBatch {
  readonly from: number
  readonly next: number
  /** In log order, ordinals from 0 without holes; offsets without rows become gap rows. */
  readonly rows: readonly UnplacedRow[]
}

/** What the log holds at an offset: the post id ('' where the record is no post) and the log's timestamp. */
export interface RecordIdentity {
  readonly postId: string
  readonly appendedAt: number
}

export interface PartitionWriter {
  /** The highest stored offset, -1 when nothing is stored. Reads the store at first and after a write that failed. */
  mark(): Promise<number>
  /**
   * Checks that the log is the one that was stored. `record` is the record at the mark, `undefined` when the log no longer holds it.
   * Rejects with `LOG_REPLACED`.
   */
  verify(record: RecordIdentity | undefined, endOffset: number): Promise<void>
  /**
   * Stores the batch durably and resolves to the mark, which is at least `next - 1`; commit below `mark + 1` then. Offsets at or below
   * the mark are skipped. One call at a time. Rejects with `DISK_FULL`, `STORE` or `STORE_LAGGING`.
   */
  write(batch: AnalysedBatch): Promise<number>
}

export function createPartitionWriter(options: WriterOptions): PartitionWriter {
  return new StorePartitionWriter(options)
}

class StorePartitionWriter implements PartitionWriter {
  readonly #store: WriterOptions['store']
  readonly #partition: PartitionId
  readonly #options: WriterOptions
  readonly #blockWriting: BlockWriting
  readonly #name: string
  #mark: number | undefined
  /** appended_at of the last row seen: how old a gap at the end is. */
  #latest: string | undefined

  constructor(options: WriterOptions) {
    this.#options = options
    this.#store = options.store
    this.#partition = options.partition
    this.#blockWriting = {
      ...options,
      backoff: options.backoff ?? jitteredBackoff(Math.random),
      maxRepeats: options.maxRepeats ?? 10,
    }
    this.#name = `${options.partition.logTopic}/${options.partition.partition}`
  }

  async mark(): Promise<number> {
    this.#mark ??= await this.#store.mark(this.#partition)
    return this.#mark
  }

  async verify(record: RecordIdentity | undefined, endOffset: number): Promise<void> {
    const mark = await this.mark()
    if (mark < 0) return
    if (endOffset <= mark)
      throw this.#replaced(`the log ends at ${endOffset}, below the stored ${mark}`)
    if (record === undefined) return
    const stored = await this.#identityAt(mark)
    const same =
      stored?.postId === record.postId.toWellFormed() && stored.appendedAt === record.appendedAt
    if (!same) throw this.#replaced(`another record is at offset ${mark}`)
  }

  async write(batch: AnalysedBatch): Promise<number> {
    let mark = await this.mark()
    if (batch.from > mark + 1)
      throw new AppError(
        'STORE',
        `The batch of ${this.#name} begins at ${batch.from}, but ${mark + 1} is the next to be stored`,
      )
    try {
      while (mark < batch.next - 1) mark = await this.#writeFrom(mark, batch)
    } catch (error) {
      this.#mark = undefined
      throw error
    }
    this.#latest = batch.rows.at(-1)?.appended_at ?? this.#latest
    return mark
  }

  /** Blocks from `mark + 1` on, until one of them finds the mark elsewhere than it left it. */
  async #writeFrom(mark: number, batch: AnalysedBatch): Promise<number> {
    const rows = batch.rows.filter((row) => row.offset > mark)
    const range = { ...this.#partition, from: mark + 1, next: batch.next }
    const first = rows[0]?.appended_at ?? toStoreTime(this.#options.clock())
    const filled = fillGaps(rows, range, this.#latest ?? first)
    let reached = mark
    for (const block of cutBlocks(filled, this.#options.limits ?? defaultLimits)) {
      reached = await writeBlock(block, this.#blockWriting)
      this.#mark = reached
      if (reached !== block.last) break
    }
    return reached
  }

  async #identityAt(offset: number): Promise<RecordIdentity | undefined> {
    const [row] = await this.#store.query<{ postId: string; appendedAt: string }>(
      `SELECT post_id AS postId, appended_at AS appendedAt FROM analyses
       WHERE log_topic = {logTopic:String} AND partition = {partition:UInt32} AND offset = {offset:Int64} AND ordinal = 0`,
      { ...this.#partition, offset },
      { lane: 'writer' },
    )
    return row && { postId: row.postId, appendedAt: fromStoreTime(row.appendedAt) }
  }

  #replaced(why: string): AppError {
    const [topic] = this.#partition.logTopic.split('@')
    return new AppError(
      'LOG_REPLACED',
      `${this.#name} is not the log that was stored: ${why}. Put the old log back, or run \`tickertone epoch start ${topic}\` to store the new one beside the old rows`,
    )
  }
}
