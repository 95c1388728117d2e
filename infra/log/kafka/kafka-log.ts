/**
 * The log port over a Kafka cluster. Names of topics and groups on the cluster begin with a prefix that nothing else sees.
 *
 * `follow` is a group of its own with one member, which commits nothing and is deleted when it stops; after a crash the broker forgets a
 * group without members and commits by itself.
 */
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { AppError, describeError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type {
  ConsumeOptions,
  Consumer,
  Follower,
  Log,
  LogBatch,
  NewRecord,
  Position,
  TopicSpec,
} from '../log.ts'
import type { Backoff } from '../partition-reader.ts'
import { createPartitioner } from '../partitioner.ts'
import type { ReadLimits } from '../read.ts'
import { checkName, checkTopicSpecs } from '../topic-spec.ts'
import { checkRecordSizes } from './append-queue.ts'
import { type ClusterTopic, ClusterTopics } from './cluster-topics.ts'
import type { KafkaDriver } from './driver.ts'
import { GroupReader } from './group-reader.ts'
import type { CreationOptions } from './topic-settings.ts'
import type { GroupStats, WatchdogLimits } from './watchdog.ts'

const defaultLimits: ReadLimits = { maxRecords: 2_000, maxBytes: 4 * 1024 * 1024 }
const defaultBackoff: Backoff = { firstMs: 100, maxMs: 10_000 }

export interface KafkaLogOptions extends CreationOptions {
  readonly topicPrefix: string
  readonly createTopics: boolean
  readonly sessionTimeoutMs: number
}

export interface KafkaLogDeps {
  /** Connected; `close` closes it. */
  readonly driver: KafkaDriver
  readonly options: KafkaLogOptions
  readonly logger: Logger
  /** Between a failed batch and its repetition. */
  readonly backoff?: Backoff
  readonly monotonic?: () => number
  readonly watchdog?: Partial<WatchdogLimits>
}

export interface KafkaLog extends Log {
  /** How often the members of this process were replaced. */
  groups(): readonly GroupStats[]
  /** What keeps a group of this process from reading; undefined while all do. */
  health(): AppError | undefined
}

export function createKafkaLog(deps: KafkaLogDeps): KafkaLog {
  return new LogOverDriver(deps)
}

class LogOverDriver implements KafkaLog {
  readonly #deps: KafkaLogDeps
  readonly #driver: KafkaDriver
  readonly #prefix: string
  readonly #topics: ClusterTopics
  readonly #readers = new Set<GroupReader>()
  readonly #partitionOf = createPartitioner()
  #closing: Promise<void> | undefined

  constructor(deps: KafkaLogDeps) {
    this.#deps = deps
    this.#driver = deps.driver
    this.#prefix = deps.options.topicPrefix
    const { driver, options, logger } = deps
    const named = (name: string): string => this.#named(name)
    this.#topics = new ClusterTopics({ driver, options, named, logger })
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    checkTopicSpecs(specs)
    this.#checkOpen()
    await this.#topics.ensure(specs)
  }

  async partitions(topic: string): Promise<number> {
    return (await this.#topic(topic)).partitions
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<readonly Position[]> {
    const { partitions, maxMessageBytes, queues } = await this.#topic(topic)
    checkRecordSizes(topic, records, maxMessageBytes)
    const parts = new Map<number, { records: NewRecord[]; at: number[] }>()
    records.forEach((record, index) => {
      const partition = this.#partitionOf(record.key, partitions)
      const part = parts.get(partition) ?? { records: [], at: [] }
      parts.set(partition, part)
      part.records.push(record)
      part.at.push(index)
    })
    const positions: Position[] = Array(records.length)
    await Promise.all(
      [...parts].map(async ([partition, part]) => {
        const offsets = await queues[partition]?.append(part.records)
        offsets?.forEach((offset, i) => {
          const index = part.at[i]
          if (index !== undefined) positions[index] = { topic, partition, offset }
        })
      }),
    )
    return positions
  }

  async consume(
    options: ConsumeOptions,
    onBatch: (batch: LogBatch) => Promise<void>,
  ): Promise<Consumer> {
    const { group, topics, startAt, onStopped, onLost } = options
    checkName('group', group)
    const reader = await this.#read({
      group: this.#named(group),
      name: group,
      topics,
      startAt,
      onBatch,
      onStopped: (topic, partition, error) => onStopped?.(topic, partition, error),
      onLost: (topic, partition) => onLost?.(topic, partition),
      limits: {
        maxRecords: options.maxBatchRecords ?? defaultLimits.maxRecords,
        maxBytes: options.maxBatchBytes ?? defaultLimits.maxBytes,
      },
    })
    return {
      pause: (topic, partition) => reader.pause(this.#named(topic), partition),
      resume: (topic, partition) => reader.resume(this.#named(topic), partition),
      commit: (topic, partition, next) => reader.commit(this.#named(topic), partition, next),
      progress: () =>
        reader.progress().map((progress) => ({ ...progress, topic: this.#plain(progress.topic) })),
      stop: () => this.#stop(reader),
    }
  }

  async follow(
    topic: string,
    from: readonly number[],
    onBatch: (batch: LogBatch) => Promise<void>,
  ): Promise<Follower> {
    const group = this.#named(`follow-${randomUUID()}`)
    const reached = new Map<number, number>()
    const reader = await this.#read({
      group,
      name: `follow ${topic}`,
      topics: [topic],
      startAt: (_, partition) => this.#goOn(topic, partition, reached, from[partition] ?? 0),
      onBatch: async (batch) => {
        await onBatch(batch)
        reached.set(batch.partition, batch.next)
      },
      onStopped: () => undefined, // the reader has logged it
      onLost: () => undefined, // it goes on where it was
      limits: defaultLimits,
    })
    let stopping: Promise<void> | undefined
    const stop = async (): Promise<void> => {
      await this.#stop(reader)
      await this.#driver.deleteGroup(group).catch((error: unknown) => {
        this.#deps.logger.debug({ group, error: describeError(error) }, 'a group was not deleted')
      })
    }
    return {
      stop() {
        stopping ??= stop()
        return stopping
      },
    }
  }

  async beginningOffsets(topic: string): Promise<readonly number[]> {
    return (await this.#ranges(topic)).map(({ begin }) => begin)
  }

  async endOffsets(topic: string): Promise<readonly number[]> {
    return (await this.#ranges(topic)).map(({ end }) => end)
  }

  async offsetsAt(topic: string, time: number): Promise<readonly number[]> {
    await this.#topic(topic)
    return this.#driver.offsetsAt(this.#named(topic), time)
  }

  async committed(group: string, topic: string): Promise<readonly number[]> {
    const { partitions } = await this.#topic(topic)
    const committed = await this.#driver.committed(this.#named(group), this.#named(topic))
    return Array.from({ length: partitions }, (_, partition) => committed[partition] ?? -1)
  }

  groups(): readonly GroupStats[] {
    return [...this.#readers].map((reader) => reader.stats())
  }

  health(): AppError | undefined {
    for (const reader of this.#readers) {
      const failure = reader.health()
      if (failure !== undefined) return failure
    }
    return undefined
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.stop()))
    await this.#topics.idle()
    await this.#driver.close()
  }

  /** Where a follower goes on: it has nobody to ask, and no other log would be the same to it. */
  async #goOn(
    topic: string,
    partition: number,
    reached: ReadonlyMap<number, number>,
    from: number,
  ): Promise<number> {
    const next = reached.get(partition)
    if (next === undefined) return from
    const end = (await this.#ranges(topic))[partition]?.end ?? next
    if (end >= next) return next
    throw new AppError(
      'LOG_REPLACED',
      `${topic}/${partition} ends at ${end}, below ${next}, which was read: it is another log, or has lost records`,
    )
  }

  async #read(
    options: Pick<
      ConstructorParameters<typeof GroupReader>[0],
      'group' | 'name' | 'topics' | 'startAt' | 'onBatch' | 'onStopped' | 'onLost' | 'limits'
    >,
  ): Promise<GroupReader> {
    const { driver, logger, backoff, monotonic, watchdog, options: own } = this.#deps
    const { topics, startAt, onBatch, onStopped, onLost } = options
    for (const topic of topics) await this.#topic(topic)
    const reader = new GroupReader({
      ...options,
      driver,
      topics: topics.map((topic) => this.#named(topic)),
      startAt: async (topic, partition) =>
        checkOffset(await startAt(this.#plain(topic), partition)),
      onBatch: (batch) => onBatch({ ...batch, topic: this.#plain(batch.topic) }),
      onStopped: (topic, partition, error) => onStopped(this.#plain(topic), partition, error),
      onLost: (topic, partition) => onLost(this.#plain(topic), partition),
      sessionTimeoutMs: own.sessionTimeoutMs,
      monotonic: monotonic ?? (() => performance.now()),
      backoff: backoff ?? defaultBackoff,
      watchdog,
      logger,
    })
    this.#readers.add(reader) // so that `close` also ends what is joining still
    try {
      await reader.start()
      this.#checkOpen()
    } catch (error) {
      this.#readers.delete(reader)
      throw error
    }
    return reader
  }

  async #stop(reader: GroupReader): Promise<void> {
    await reader.stop()
    this.#readers.delete(reader)
  }

  async #ranges(topic: string): ReturnType<KafkaDriver['offsets']> {
    await this.#topic(topic)
    return this.#driver.offsets(this.#named(topic))
  }

  /** Throws `LOG` for an unknown one. */
  #topic(name: string): Promise<ClusterTopic> {
    this.#checkOpen()
    return this.#topics.get(name)
  }

  #named(name: string): string {
    return `${this.#prefix}${name}`
  }

  #plain(name: string): string {
    return name.slice(this.#prefix.length)
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new AppError('LOG', 'The log is closed')
  }
}

function checkOffset(offset: number): number {
  if (Number.isSafeInteger(offset) && offset >= 0) return offset
  throw new AppError('LOG', `${offset} is no offset to start at`)
}
