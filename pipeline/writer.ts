/**
 * The writer of one partition of one log: every consumed offset leaves its rows in `analyses` exactly once.
 *
 * A partition is in one of these states:
 * - *unknown*: the mark was not read yet, or the last write failed. Whoever needs it next reads it.
 * - *marked at H*: all offsets up to H are stored. Whoever reads the log compares its record at H with the row there (`last`): another
 *   post, or a log that ends below H + 1, means that the log was replaced (writer/same-log.ts).
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
import { type LastRow, readLastRows } from '../infra/store/offsets.ts'
import type { PartitionId, Store } from '../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../infra/store/store-time.ts'
import { type Backoff, jitteredBackoff, type Wait } from './writer/backoff.ts'
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
  readonly wait?: Wait
  /** Ends waits: the write rejects at once. */
  readonly signal?: AbortSignal
}

/** The analysed records of offsets `from` (included) to `next` (excluded). */
export interface AnalysedBatch {
  readonly from: number
  readonly next: number
  /** In log order, ordinals from 0 without holes, appended_at never going back; offsets without rows become gap rows. */
  readonly rows: readonly UnplacedRow[]
  /** Retention removed what stood below this offset: the gap row says so. */
  readonly removedBelow?: number
}

export interface PartitionWriter {
  /** The highest stored offset, -1 when nothing is stored. Reads the store at first and after a write that failed. */
  mark(): Promise<number>
  /** The row at the mark, read from the store; undefined when nothing is stored. */
  last(): Promise<LastRow | undefined>
  /** appended_at of the row at the mark, milliseconds since 1970: no later row may be older. 0 when nothing is stored. */
  appendedAt(): Promise<number>
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
  #appendedAt: number | undefined

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

  async last(): Promise<LastRow | undefined> {
    const { logTopic, partition } = this.#partition
    const [last] = await readLastRows(this.#store, logTopic, partition)
    this.#mark = last?.mark ?? -1
    this.#appendedAt = last?.appendedAt ?? 0
    return last
  }

  async appendedAt(): Promise<number> {
    return this.#appendedAt ?? (await this.last())?.appendedAt ?? 0
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
      this.#forget()
      throw error
    }
    return mark
  }

  /** Blocks from `mark + 1` on, until one of them finds the mark elsewhere than it left it. */
  async #writeFrom(
    mark: number,
    { next, rows: all, removedBelow }: AnalysedBatch,
  ): Promise<number> {
    const rows = all.filter((row) => row.offset > mark)
    const before = await this.#before(rows)
    const range = { ...this.#partition, from: mark + 1, next, removedBelow }
    const filled = fillGaps(rows, range, before)
    for (const block of cutBlocks(filled, this.#options.limits ?? defaultLimits)) {
      const reached = await writeBlock(block, this.#blockWriting)
      if (reached !== block.last) {
        this.#forget()
        return reached
      }
    }
    this.#mark = next - 1
    this.#appendedAt = fromStoreTime(rows.at(-1)?.appended_at ?? before)
    return next - 1
  }

  /** How old a gap before the first row is: as the last stored row, and where there is none as the row behind it. */
  async #before(rows: readonly UnplacedRow[]): Promise<string> {
    const appendedAt = await this.appendedAt()
    if (appendedAt > 0) return toStoreTime(appendedAt)
    return rows[0]?.appended_at ?? toStoreTime(this.#options.clock())
  }

  /** The table says again what it holds: another writer has been here, or an outcome is not known. */
  #forget(): void {
    this.#mark = undefined
    this.#appendedAt = undefined
  }
}
