/** The log port over an ordered key-value engine in this process. */
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createGroupCommit, type GroupCommit } from './group-commit.ts'
import { Heads } from './heads.ts'
import type {
  ConsumeOptions,
  Consumer,
  Follower,
  Log,
  LogBatch,
  NewRecord,
  Position,
  TopicSpec,
} from './log.ts'
import { type Backoff, PartitionReader } from './partition-reader.ts'
import { createRoundRobin, partitionOfKey } from './partitioner.ts'
import { firstOffsetAt, readBatch } from './read.ts'
import { encodedBytes, encodeRecord } from './record-codec.ts'
import { expire, maxRemovals, topicBytes } from './retention.ts'
import type { Storage, TopicRow } from './storage.ts'
import { checkName, checkTopicSpecs } from './topic-spec.ts'

export interface EmbeddedLog extends Log {
  /** Made with the folder: another one means another log. */
  readonly logId: string
  /** Removes what the topics' retention lets go; answers how many records. Costs what it removes. */
  enforceRetention(): Promise<number>
  /** What the topic's records take, in bytes: what `retentionBytes` limits. */
  storedBytes(topic: string): Promise<number>
}

export interface EmbeddedLogDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly logger: Logger
  readonly backoff?: Backoff
}

/** A post has at most 20,000 characters; this only stops what must be a mistake. */
export const maxRecordBytes = 16 * 1024 * 1024
const defaultBatch = { maxRecords: 2_000, maxBytes: 4 * 1024 * 1024 }
const defaultBackoff: Backoff = { firstMs: 100, maxMs: 10_000 }

export const createLogOver = (deps: EmbeddedLogDeps): EmbeddedLog => new LogOverStorage(deps)

interface Topic {
  readonly row: TopicRow
  readonly readers: Set<PartitionReader>[]
}

class LogOverStorage implements EmbeddedLog {
  readonly logId: string
  readonly #deps: EmbeddedLogDeps
  readonly #heads: Heads
  readonly #commits: GroupCommit
  readonly #topics = new Map<string, Topic>()
  /** The running consumer of each topic and group. */
  readonly #owners = new Map<string, Consumer>()
  readonly #readers = new Set<PartitionReader>()
  readonly #nextPartition = createRoundRobin()
  #closing: Promise<void> | undefined

  constructor(deps: EmbeddedLogDeps) {
    this.#deps = deps
    this.logId = deps.storage.logId
    this.#heads = new Heads(deps.storage)
    this.#commits = createGroupCommit((work) => deps.storage.write(work), this.#heads)
    for (const { key, value } of deps.storage.topics.all()) this.#adopt(String(key[0]), value)
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    checkTopicSpecs(specs)
    await this.#submit(
      () => specs.map((spec) => [spec.name, this.#saveTopic(spec)] as const),
      (rows) => {
        for (const [name, row] of rows) this.#adopt(name, row)
      },
    )
  }

  async partitions(topic: string): Promise<number> {
    return this.#topic(topic).row.partitions
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<readonly Position[]> {
    const { row, readers } = this.#topic(topic)
    const bytes = checkSizes(topic, row, records)
    if (records.length === 0) return []
    return this.#submit(
      () => this.#appendInside(topic, records, bytes),
      (positions) => {
        for (const partition of new Set(positions.map((p) => p.partition)))
          for (const reader of readers[partition] ?? []) reader.wake()
      },
    )
  }

  async consume(
    options: ConsumeOptions,
    onBatch: (batch: LogBatch) => Promise<void>,
  ): Promise<Consumer> {
    const { group, startAt, onStopped } = options
    checkName('group', group)
    const topics = options.topics.map((name) => [name, this.#topic(name)] as const)
    for (const [name] of topics)
      if (this.#owners.has(`${group}/${name}`))
        throw new AppError('LOG', `Group ${group} already consumes ${name} in this process`)

    const readers = new Map<string, PartitionReader>()
    for (const [name, topic] of topics)
      for (let partition = 0; partition < topic.row.partitions; partition++)
        readers.set(
          `${name}/${partition}`,
          this.#reader(name, partition, options, onBatch, {
            start: async () => {
              const from = checkOffset(await startAt(name, partition))
              await this.#saveGroup(name, group, partition, { needs: from })
              return from
            },
            onStopped: (error) => onStopped?.(name, partition, error),
          }),
        )
    const keys = topics.map(([name]) => `${group}/${name}`)
    const consumer: Consumer = {
      pause: (topic, partition) => readers.get(`${topic}/${partition}`)?.pause(),
      resume: (topic, partition) => readers.get(`${topic}/${partition}`)?.resume(),
      commit: async (topic, partition, next) => {
        const owner = this.#owners.get(`${group}/${topic}`)
        if (owner !== undefined && owner !== consumer)
          throw new AppError('LOG', `Another consumer of ${group} has taken over ${topic}`)
        await this.#saveGroup(topic, group, partition, { needs: next, committed: next })
      },
      stop: async () => {
        await this.#stopReaders([...readers.values()])
        for (const key of keys) if (this.#owners.get(key) === consumer) this.#owners.delete(key)
      },
    }
    for (const key of keys) this.#owners.set(key, consumer)
    for (const reader of readers.values()) reader.start()
    return consumer
  }

  async follow(
    topic: string,
    from: readonly number[],
    onBatch: (batch: LogBatch) => Promise<void>,
  ): Promise<Follower> {
    const { row } = this.#topic(topic)
    const readers = Array.from({ length: row.partitions }, (_, partition) =>
      this.#reader(topic, partition, {}, onBatch, {
        start: async () => checkOffset(from[partition] ?? 0),
        onStopped: (error) =>
          this.#deps.logger.error({ err: error, topic, partition }, 'a follower stopped for good'),
      }),
    )
    for (const reader of readers) reader.start()
    return { stop: () => this.#stopReaders(readers) }
  }

  async beginningOffsets(topic: string): Promise<readonly number[]> {
    return this.#eachPartition(topic, (id, partition) => this.#heads.durable(id, partition).begin)
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    return this.#eachPartition(topic, (id, partition) => this.#heads.durable(id, partition).end)
  }

  async offsetsAt(topic: string, time: number): Promise<readonly number[]> {
    return this.#eachPartition(topic, (id, partition) =>
      firstOffsetAt(this.#deps.storage, id, partition, this.#heads.durable(id, partition), time),
    )
  }

  async committed(group: string, topic: string): Promise<readonly number[]> {
    return this.#eachPartition(
      topic,
      (id, partition) => this.#deps.storage.groups.get([id, group, partition])?.committed ?? -1,
    )
  }

  async storedBytes(topic: string): Promise<number> {
    return topicBytes(this.#heads, this.#topic(topic).row)
  }

  async enforceRetention(): Promise<number> {
    let total = 0
    for (const name of this.#topics.keys()) {
      let removed: number
      do {
        removed = await this.#submit(() => this.#expire(name))
        total += removed
      } while (removed === maxRemovals)
    }
    return total
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#stopReaders([...this.#readers])
    await this.#commits.idle()
    await this.#deps.storage.close()
  }

  #appendInside(topic: string, records: readonly NewRecord[], bytes: number): Position[] {
    const { row } = this.#topic(topic)
    const now = this.#deps.clock()
    this.#makeRoom(topic, row, bytes, now)
    return records.map((record) => {
      const partition =
        record.key === null
          ? this.#nextPartition(row.partitions)
          : partitionOfKey(record.key, row.partitions)
      const head = this.#heads.current(row.id, partition)
      const timestamp = Math.max(now, head.lastTimestamp)
      const encoded = encodeRecord(record, timestamp)
      this.#deps.storage.records.put([row.id, partition, head.end], encoded)
      this.#heads.change(row.id, partition, {
        begin: head.begin,
        end: head.end + 1,
        bytes: head.bytes + encoded.length,
        lastTimestamp: timestamp,
      })
      return { topic, partition, offset: head.end }
    })
  }

  #makeRoom(topic: string, row: TopicRow, bytes: number, now: number): void {
    if (row.retentionBytes === null) return
    if (topicBytes(this.#heads, row) + bytes <= row.retentionBytes) return
    expire(this.#deps.storage, this.#heads, row, now, bytes)
    if (topicBytes(this.#heads, row) + bytes <= row.retentionBytes) return
    throw new AppError(
      'LOG_FULL',
      `Topic ${topic} holds its ${row.retentionBytes} bytes, and its consumers still need them`,
      { retryable: true },
    )
  }

  #expire(name: string): number {
    return expire(this.#deps.storage, this.#heads, this.#topic(name).row, this.#deps.clock())
  }

  #saveTopic(spec: TopicSpec): TopicRow {
    const rows = this.#deps.storage.topics
    const known = rows.get([spec.name])
    if (known !== undefined && known.partitions !== spec.partitions)
      throw new AppError(
        'LOG',
        `Topic ${spec.name} has ${known.partitions} partitions, not ${spec.partitions}; their number is fixed at its creation`,
      )
    const row: TopicRow = {
      id: known?.id ?? [...rows.all()].length,
      partitions: spec.partitions,
      retentionMs: spec.retentionMs ?? null,
      retentionBytes: spec.retentionBytes ?? null,
    }
    rows.put([spec.name], row)
    return row
  }

  #adopt(name: string, row: TopicRow): void {
    const readers =
      this.#topics.get(name)?.readers ??
      Array.from({ length: row.partitions }, () => new Set<PartitionReader>())
    this.#topics.set(name, { row, readers })
  }

  #saveGroup(
    topic: string,
    group: string,
    partition: number,
    change: { needs: number; committed?: number },
  ): Promise<void> {
    const { row } = this.#topic(topic)
    const { groups } = this.#deps.storage
    return this.#submit(() => {
      const { end } = this.#heads.current(row.id, partition)
      const next = change.committed ?? 0
      if (!(Number.isInteger(next) && next >= 0 && next <= end && partition < row.partitions))
        throw new AppError(
          'LOG',
          `Cannot commit ${topic}/${partition} at ${next}: it ends at ${end}`,
        )
      const known = groups.get([row.id, group, partition])
      const committed = change.committed ?? known?.committed ?? -1
      groups.put([row.id, group, partition], { committed, needs: change.needs })
    })
  }

  #reader(
    name: string,
    partition: number,
    limits: { readonly maxBatchRecords?: number; readonly maxBatchBytes?: number },
    onBatch: (batch: LogBatch) => Promise<void>,
    hooks: { start(): Promise<number>; onStopped(error: unknown): void },
  ): PartitionReader {
    const { storage, backoff = defaultBackoff, logger } = this.#deps
    const { row, readers } = this.#topic(name)
    const batchLimits = {
      maxRecords: limits.maxBatchRecords ?? defaultBatch.maxRecords,
      maxBytes: limits.maxBatchBytes ?? defaultBatch.maxBytes,
    }
    const reader = new PartitionReader({
      topic: name,
      partition,
      read: (from) =>
        readBatch(storage, row.id, partition, this.#heads.durable(row.id, partition), {
          from,
          ...batchLimits,
        }),
      onBatch,
      ...hooks,
      backoff,
      logger,
    })
    readers[partition]?.add(reader)
    this.#readers.add(reader)
    return reader
  }

  async #stopReaders(readers: readonly PartitionReader[]): Promise<void> {
    await Promise.all(readers.map((reader) => reader.stop()))
    for (const reader of readers) {
      this.#readers.delete(reader)
      for (const topic of this.#topics.values()) for (const set of topic.readers) set.delete(reader)
    }
  }

  #topic(name: string): Topic {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new AppError('LOG', `There is no topic ${name}`)
    return topic
  }

  #eachPartition(name: string, answer: (topicId: number, partition: number) => number): number[] {
    this.#checkOpen()
    const { row } = this.#topic(name)
    return Array.from({ length: row.partitions }, (_, partition) => answer(row.id, partition))
  }

  #submit<T>(run: () => T, done?: (result: T) => void): Promise<T> {
    this.#checkOpen()
    return this.#commits.submit(done === undefined ? { run } : { run, done })
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new AppError('LOG', 'The log is closed')
  }
}

function checkSizes(topic: string, row: TopicRow, records: readonly NewRecord[]): number {
  let total = 0
  for (const record of records) {
    const bytes = encodedBytes(record)
    if (bytes > maxRecordBytes)
      throw new AppError(
        'LOG',
        `A record of ${bytes} bytes is over the limit of ${maxRecordBytes} bytes`,
      )
    total += bytes
  }
  if (row.retentionBytes !== null && total > row.retentionBytes)
    throw new AppError(
      'LOG',
      `${total} bytes at once can never fit topic ${topic}, which keeps ${row.retentionBytes} bytes`,
    )
  return total
}

function checkOffset(offset: number): number {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset
  throw new AppError('LOG', `${offset} is no offset to start at`)
}
