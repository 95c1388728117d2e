/** The log port over an ordered key-value engine in this process. */
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { appendInside, sizeOf } from './append.ts'
import { createGroupCommit, type GroupCommit } from './group-commit.ts'
import { Groups } from './groups.ts'
import { Heads } from './heads.ts'
import type {
  ConsumeOptions,
  Consumer,
  Follower,
  Log,
  LogBatch,
  NewRecord,
  Position,
  Progress,
  TopicSpec,
} from './log.ts'
import { type Backoff, PartitionReader } from './partition-reader.ts'
import { createPartitioner } from './partitioner.ts'
import { firstOffsetAt, type ReadLimits, readBatch } from './read.ts'
import { expire, maxRemovals } from './retention.ts'
import { type Replacement, rewritePartition } from './rewrite.ts'
import type { Storage, TopicRow } from './storage.ts'
import { checkName, checkTopicSpecs } from './topic-spec.ts'
import { saveTopicInside, TopicTable } from './topic-table.ts'

export interface EmbeddedLog extends Log {
  /** Made with the folder: another one means another log. */
  readonly logId: string
  /** Removes what the topics' retention lets go; answers how many records. Costs what it removes. */
  enforceRetention(): Promise<number>
  /**
   * Gives records of the topic other values, durably; answers how many. Offsets, keys and timestamps stay. Who has read a record keeps what it read. The
   * file's free pages hold the old bytes until they are used again.
   */
  rewrite(topic: string, replace: Replacement): Promise<number>
}

export interface EmbeddedLogDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly logger: Logger
  /** Between a failed batch and its repetition. */
  readonly backoff?: Backoff | undefined
}

const defaultLimits: ReadLimits = { maxRecords: 2_000, maxBytes: 4 * 1024 * 1024 }
const defaultBackoff: Backoff = { firstMs: 100, maxMs: 10_000 }

export class LogOverStorage implements EmbeddedLog {
  readonly logId: string
  readonly #deps: EmbeddedLogDeps
  readonly #storage: Storage
  readonly #heads: Heads
  readonly #writer: GroupCommit
  readonly #topics: TopicTable
  readonly #groups: Groups
  readonly #partitionOf = createPartitioner()
  #closing: Promise<void> | undefined

  constructor(deps: EmbeddedLogDeps) {
    this.#deps = deps
    this.#storage = deps.storage
    this.logId = deps.storage.logId
    this.#heads = new Heads(deps.storage)
    this.#writer = createGroupCommit((work) => deps.storage.write(work), this.#heads)
    this.#topics = new TopicTable(deps.storage)
    this.#groups = new Groups({
      storage: deps.storage,
      heads: this.#heads,
      write: (work) => this.#write(work),
    })
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    checkTopicSpecs(specs)
    const run = (): TopicRow[] => specs.map((spec) => saveTopicInside(this.#storage, spec))
    const done = (rows: TopicRow[]): void => {
      for (const row of rows) this.#topics.adopt(row)
    }
    await this.#write(run, done)
  }

  async partitions(topic: string): Promise<number> {
    return this.#topics.get(topic).partitions
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<readonly Position[]> {
    const bytes = sizeOf(this.#topics.get(topic), records)
    if (records.length === 0) return []
    const run = (): Position[] =>
      appendInside(this.#storage, this.#heads, {
        topic: this.#topics.get(topic),
        records,
        bytes,
        now: this.#deps.clock(),
        partitionOf: this.#partitionOf,
      })
    const done = (positions: Position[]): void => {
      for (const partition of new Set(positions.map((position) => position.partition)))
        for (const reader of this.#topics.readers(topic, partition)) reader.wake()
    }
    return this.#write(run, done, bytes)
  }

  async consume(
    options: ConsumeOptions,
    onBatch: (batch: LogBatch) => Promise<void>,
  ): Promise<Consumer> {
    const { group, topics } = options
    checkName('group', group)
    const readers = new Map<string, PartitionReader>()
    const consumer: Consumer = {
      pause: (topic, partition) => readers.get(`${topic}/${partition}`)?.pause(),
      resume: (topic, partition) => readers.get(`${topic}/${partition}`)?.resume(),
      commit: async (topic, partition, next) =>
        this.#groups.commit(this.#topics.get(topic), group, partition, next, consumer),
      progress: () => [...readers.values()].flatMap((reader) => this.#progressOf(reader)),
      stop: async () => {
        await stopAll(readers.values())
        this.#groups.release(group, topics, consumer)
      },
    }
    const rows = topics.map((name) => this.#topics.get(name))
    this.#checkOpen()
    this.#groups.claim(group, topics, consumer)
    for (const row of rows)
      for (const partition of partitionsOf(row))
        readers.set(`${row.name}/${partition}`, this.#groupReader(row, partition, options, onBatch))
    for (const reader of readers.values()) reader.start()
    return consumer
  }

  async follow(
    topic: string,
    from: readonly number[],
    onBatch: (batch: LogBatch) => Promise<void>,
  ): Promise<Follower> {
    this.#checkOpen()
    const row = this.#topics.get(topic)
    const readers = partitionsOf(row).map((partition) =>
      this.#reader(row, partition, defaultLimits, onBatch, {
        start: async () => checkOffset(from[partition] ?? 0),
      }),
    )
    for (const reader of readers) reader.start()
    return { stop: () => stopAll(readers) }
  }

  async beginningOffsets(topic: string): Promise<readonly number[]> {
    return this.#eachPartition(
      topic,
      ({ id }, partition) => this.#heads.durable(id, partition).begin,
    )
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    return this.#eachPartition(topic, ({ id }, partition) => this.#heads.durable(id, partition).end)
  }

  async offsetsAt(topic: string, time: number): Promise<readonly number[]> {
    return this.#eachPartition(topic, ({ id }, partition) =>
      firstOffsetAt(this.#storage, id, partition, this.#heads.durable(id, partition), time),
    )
  }

  async committed(group: string, topic: string): Promise<readonly number[]> {
    return this.#eachPartition(topic, (row, partition) =>
      this.#groups.committed(row, group, partition),
    )
  }

  async enforceRetention(): Promise<number> {
    let total = 0
    for (const { name } of this.#topics.all()) {
      let removed: number
      do {
        removed = await this.#write(() =>
          expire(this.#storage, this.#heads, this.#topics.get(name), this.#deps.clock()),
        )
        total += removed
      } while (removed === maxRemovals)
    }
    return total
  }

  async rewrite(name: string, replace: Replacement): Promise<number> {
    this.#checkOpen()
    const topic = this.#topics.get(name)
    const rewriting = {
      storage: this.#storage,
      heads: this.#heads,
      topic,
      limits: defaultLimits,
      write: <T>(run: () => T) => this.#write(run),
    }
    let rewritten = 0
    for (const partition of partitionsOf(topic))
      rewritten += await rewritePartition(rewriting, partition, replace)
    return rewritten
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await stopAll(this.#topics.allReaders())
    await this.#writer.idle()
    await this.#storage.close()
  }

  #groupReader(
    row: TopicRow,
    partition: number,
    options: ConsumeOptions,
    onBatch: (batch: LogBatch) => Promise<void>,
  ): PartitionReader {
    const { group, startAt, onStopped } = options
    const limits: ReadLimits = {
      maxRecords: options.maxBatchRecords ?? defaultLimits.maxRecords,
      maxBytes: options.maxBatchBytes ?? defaultLimits.maxBytes,
    }
    return this.#reader(row, partition, limits, onBatch, {
      start: async () => {
        const from = checkOffset(await startAt(row.name, partition))
        await this.#groups.assign(row, group, partition, from)
        return from
      },
      onStopped: (error) => onStopped?.(row.name, partition, error),
    })
  }

  #reader(
    row: TopicRow,
    partition: number,
    limits: ReadLimits,
    onBatch: (batch: LogBatch) => Promise<void>,
    hooks: { start(): Promise<number>; onStopped?(error: unknown): void },
  ): PartitionReader {
    const readers = this.#topics.readers(row.name, partition)
    const reader: PartitionReader = new PartitionReader({
      topic: row.name,
      partition,
      start: hooks.start,
      read: (from) => {
        const head = this.#heads.durable(row.id, partition)
        return readBatch(this.#storage, row.id, partition, head, from, limits)
      },
      onBatch,
      onStopped: (error) => hooks.onStopped?.(error),
      onEnd: () => readers.delete(reader),
      backoff: this.#deps.backoff ?? defaultBackoff,
      logger: this.#deps.logger,
    })
    readers.add(reader)
    return reader
  }

  #progressOf(reader: PartitionReader): Progress[] {
    const { position } = reader
    if (position === undefined) return []
    const { topic, partition, offset } = position
    const { end } = this.#heads.durable(this.#topics.get(topic).id, partition)
    return [{ topic, partition, next: offset, end }]
  }

  #eachPartition(name: string, answer: (row: TopicRow, partition: number) => number): number[] {
    this.#checkOpen()
    const row = this.#topics.get(name)
    return partitionsOf(row).map((partition) => answer(row, partition))
  }

  #write<T>(run: () => T, done: (result: T) => void = () => {}, bytes = 0): Promise<T> {
    this.#checkOpen()
    return this.#writer.submit({ run, done, bytes })
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new AppError('LOG', 'The log is closed')
  }
}

async function stopAll(readers: Iterable<PartitionReader>): Promise<void> {
  await Promise.all(Array.from(readers, (reader) => reader.stop()))
}

function partitionsOf(row: TopicRow): number[] {
  return Array.from({ length: row.partitions }, (_, partition) => partition)
}

function checkOffset(offset: number): number {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset
  throw new AppError('LOG', `${offset} is no offset to start at`)
}
