/**
 * The driver over kafkajs 2.2.4, and all that knows of it.
 *
 * What is done about its habits: one partition a `send`, for it resolves a send over several although it dropped one partition's records;
 * it never restarts a consumer by itself, for a restarted one forgets what was paused and sought; no assigned partition is read before
 * it is sought, for it would begin where the group committed; and a coordinator that does not answer is looked for anew, for it would ask a
 * dead one until it gives up.
 */
import { performance } from 'node:perf_hooks'
import kafkajs, {
  type Admin,
  type Batch,
  CompressionTypes,
  type Consumer,
  Kafka,
  logLevel,
  type Producer,
  type RetryOptions,
  type SASLOptions,
} from 'kafkajs'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { NewRecord } from '../log.ts'
import { clientFailure, isForbidden, kafkaErrorType } from './client-failure.ts'
import { clientLog } from './client-log.ts'
import { decompressors } from './codecs.ts'
import type { Connection } from './connection.ts'
import type {
  FetchedRecord,
  JoinOptions,
  KafkaDriver,
  Member,
  NewTopic,
  OffsetRange,
  TopicDescription,
} from './driver.ts'
import { coordinatorLost, HeartbeatWatch } from './heartbeat-watch.ts'
import { MemberPositions } from './member-positions.ts'
import { RenewableClient } from './renewable-client.ts'

/** How long an idle fetch waits for records, and so the longest that a resumed partition waits for its first fetch. */
const maxFetchWaitMs = 250
/** A broker that does not answer within this is given up. */
const requestTimeoutMs = 15_000
/** Of `connect`, as a whole. */
const connectTimeoutMs = 10_000
/** Some 15 s in all: a cluster of three elects other leaders in 4 to 6. */
const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 16 }
const knockRetry = { initialRetryTime: 100, retries: 2 }
/** Who asks can ask again. */
const quickRetry = { initialRetryTime: 100, maxRetryTime: 500, retries: 3 }

/** kafkajs has one table of codecs for the process. */
const codecs = [
  [CompressionTypes.Snappy, decompressors.snappy],
  [CompressionTypes.LZ4, decompressors.lz4],
  [CompressionTypes.ZSTD, decompressors.zstd],
] as const
for (const [type, decompress] of codecs) kafkajs.CompressionCodecs[type] = () => ({ decompress })

export function createKafkajsDriver(options: {
  readonly connection: Connection
  readonly logger: Logger
}): KafkaDriver {
  return new KafkajsDriver(options.connection, options.logger)
}

class KafkajsDriver implements KafkaDriver {
  readonly #brokers: readonly string[]
  readonly #compression: CompressionTypes
  readonly #client: Kafka
  readonly #knocking: Admin
  readonly #admin: RenewableClient<Admin>
  readonly #producer: RenewableClient<Producer>

  constructor(connection: Connection, logger: Logger) {
    this.#brokers = connection.brokers
    this.#compression =
      connection.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None
    const client = (attempts: RetryOptions): Kafka =>
      new Kafka({
        brokers: [...connection.brokers],
        clientId: connection.clientId,
        ...(connection.tls === undefined ? {} : { ssl: connection.tls }),
        ...(connection.sasl === undefined ? {} : { sasl: connection.sasl as SASLOptions }),
        connectionTimeout: 3_000,
        requestTimeout: requestTimeoutMs,
        retry: attempts,
        logLevel: logLevel.INFO,
        logCreator: () => clientLog(logger),
      })
    this.#client = client(retry)
    this.#knocking = client(knockRetry).admin()
    this.#admin = new RenewableClient(() => this.#client.admin({ retry: quickRetry }), namesNoTopic)
    this.#producer = new RenewableClient(
      () => this.#client.producer({ allowAutoTopicCreation: false, createPartitioner: given }),
      namesNoTopic,
    )
  }

  async connect(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const silence = `silence for ${connectTimeoutMs} ms`
      const error = Object.assign(new Error(silence), { name: 'KafkaJSConnectionError' })
      timer = setTimeout(() => reject(error), connectTimeoutMs)
    })
    const connecting = this.#connect()
    connecting.catch(() => undefined) // where it comes after the timeout, nobody waits for it
    try {
      await this.#told('to connect', () => Promise.race([connecting, late]))
    } catch (error) {
      await this.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** A wrong address or login is told after a few attempts; what runs has more patience. */
  async #connect(): Promise<void> {
    try {
      await this.#knocking.connect()
      await this.#knocking.describeCluster() // some brokers let anyone connect, and drop who asks
    } finally {
      await this.#knocking.disconnect()
    }
    await Promise.all([this.#admin.connect(), this.#producer.connect()])
  }

  async describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>> {
    const described = await Promise.all(
      names.map(async (name) => [name, await this.#describe(name)] as const),
    )
    return new Map(
      described.flatMap(([name, found]) => (found === undefined ? [] : [[name, found]])),
    )
  }

  async createTopics(topics: readonly NewTopic[]): Promise<boolean> {
    try {
      for (const topic of topics) await this.#create(topic)
      return true
    } catch (error) {
      if (isForbidden(error)) return false
      throw error
    }
  }

  async offsets(topic: string): Promise<readonly OffsetRange[]> {
    const found = await this.#ask(`to tell the offsets of ${topic}`, (admin) =>
      admin.fetchTopicOffsets(topic),
    )
    return byPartition(found).map(({ low, high }) => ({ begin: Number(low), end: Number(high) }))
  }

  async offsetsAt(topic: string, time: number): Promise<readonly number[]> {
    const found = await this.#ask(`to tell the offsets of ${topic} at a time`, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, time),
    )
    return byPartition(found).map(({ offset }) => Number(offset))
  }

  async send(topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    const answers = await this.#told(`to take records for ${topic}/${partition}`, () =>
      this.#producer.call((producer) =>
        producer.send({
          topic,
          acks: -1,
          timeout: requestTimeoutMs,
          compression: this.#compression,
          messages: records.map(({ key, value }) => ({
            key,
            value: typeof value === 'string' ? value : Buffer.from(value),
            partition,
          })),
        }),
      ),
    )
    const [answer] = answers
    const first = Number(answer?.baseOffset)
    if (answers.length === 1 && answer?.partition === partition && first >= 0) return first
    throw new AppError('LOG', `Kafka did not say where it put records of ${topic}/${partition}`, {
      retryable: true,
    })
  }

  async committed(group: string, topic: string): Promise<readonly number[]> {
    const found = await this.#ask(`to tell what the group ${group} committed`, (admin) =>
      admin.fetchOffsets({ groupId: group, topics: [topic] }),
    )
    const partitions = found.find((answer) => answer.topic === topic)?.partitions ?? []
    return byPartition(partitions).map(({ offset }) => Math.max(-1, Number(offset)))
  }

  async join(options: JoinOptions): Promise<Member> {
    const consumer = this.#client.consumer({
      groupId: options.group,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: Math.max(options.sessionTimeoutMs, 10_000),
      heartbeatInterval: Math.min(1_000, Math.floor(options.sessionTimeoutMs / 5)),
      maxWaitTimeInMs: maxFetchWaitMs,
      allowAutoTopicCreation: false,
      retry: { ...retry, restartOnFailure: async () => false },
    })
    return this.#told(`to join the group ${options.group}`, async () => {
      try {
        return await joinGroup(consumer, options, (task, call) => this.#told(task, call))
      } catch (error) {
        await consumer.disconnect().catch(() => undefined)
        throw error
      }
    })
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#ask(`to delete the group ${group}`, (admin) => admin.deleteGroups([group]))
  }

  async close(): Promise<void> {
    await Promise.allSettled([
      this.#knocking.disconnect(),
      this.#producer.close(),
      this.#admin.close(),
    ])
  }

  async #create({ name, partitions, replicationFactor, config }: NewTopic): Promise<void> {
    await this.#ask(`to create the topic ${name}`, (admin) =>
      admin.createTopics({
        waitForLeaders: false, // it asks a broker that may not have heard of the topic, and fails
        topics: [
          {
            topic: name,
            numPartitions: partitions,
            replicationFactor,
            configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
          },
        ],
      }),
    )
  }

  async #describe(name: string): Promise<TopicDescription | undefined> {
    try {
      const { topics } = await this.#ask(`to describe the topic ${name}`, (admin) =>
        admin.fetchTopicMetadata({ topics: [name] }),
      )
      const config = await this.#config(name)
      return { partitions: topics[0]?.partitions.length ?? 0, config }
    } catch (error) {
      if (kafkaErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION') return undefined
      throw error
    }
  }

  async #config(name: string): Promise<ReadonlyMap<string, string> | undefined> {
    try {
      const { resources } = await this.#ask(`to tell the settings of ${name}`, (admin) =>
        admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name }],
        }),
      )
      const entries = resources[0]?.configEntries ?? []
      return new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
    } catch (error) {
      if (isForbidden(error)) return undefined
      throw error
    }
  }

  #ask<T>(task: string, question: (admin: Admin) => Promise<T>): Promise<T> {
    return this.#told(task, () => this.#admin.call(question))
  }

  /** Failures in the product's words. */
  async #told<T>(task: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw clientFailure(task, this.#brokers, error)
    }
  }
}

const namesNoTopic = (error: unknown): boolean =>
  kafkaErrorType(error) === 'UNKNOWN_TOPIC_OR_PARTITION'

/** Every record says where it goes. */
const given =
  () =>
  ({ message }: { readonly message: { readonly partition?: number } }): number =>
    message.partition ?? 0

type Told = <T>(task: string, call: () => Promise<T>) => Promise<T>

async function joinGroup(consumer: Consumer, options: JoinOptions, told: Told): Promise<Member> {
  const positions = new MemberPositions()
  const heartbeats = new HeartbeatWatch(options.sessionTimeoutMs, () => performance.now())
  let left: Promise<void> | undefined
  let crash: unknown
  const { events } = consumer

  consumer.on(events.GROUP_JOIN, ({ payload }) => {
    heartbeats.heard()
    if (left !== undefined) return
    const assigned = Object.entries(payload.memberAssignment)
    positions.clear()
    consumer.pause(assigned.map(([topic, partitions]) => ({ topic, partitions })))
    options.onAlive()
    options.onAssigned(
      assigned.flatMap(([topic, partitions]) =>
        partitions.map((partition) => ({ topic, partition })),
      ),
    )
  })
  consumer.on(events.HEARTBEAT, () => {
    heartbeats.heard()
    if (left === undefined) options.onAlive()
  })
  consumer.on(events.FETCH_START, () => {
    if (heartbeats.areMissed()) throw coordinatorLost() // what a listener throws, the fetch throws
  })
  consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
    if (left !== undefined || payload.batchSize > 0) return // eachBatch is called for these
    const { topic, partition, firstOffset, lastOffset, highWatermark } = payload
    const next = Number(lastOffset) + 1
    const from = positions.hidden(topic, partition, Number(firstOffset ?? lastOffset), next)
    options.onBatch({ topic, partition, from, next, end: Number(highWatermark), records: [] })
  })
  consumer.on(events.CRASH, ({ payload }) => {
    crash = payload.error
    if (left === undefined && joined) options.onEnded(payload.error)
  })

  let joined = false
  await consumer.connect()
  await consumer.subscribe({ topics: [...options.topics], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset, isStale }) => {
      if (left !== undefined || isStale()) return
      const { topic, partition, highWatermark } = batch
      const from = fetchedFrom(batch)
      const next = Number(batch.lastOffset()) + 1
      const records = batch.messages.map(recordOf)
      const end = Number(highWatermark)
      if (!options.onBatch({ topic, partition, from, next, end, records })) return
      positions.passed(topic, partition, next)
      resolveOffset(batch.lastOffset())
    },
  })
  if (crash !== undefined) throw crash
  joined = true

  return {
    seek: (topic, partition, offset) =>
      whileIn(() => {
        positions.sought(topic, partition, offset)
        consumer.seek({ topic, partition, offset: String(offset) })
      }),
    pause: (topic, partition) =>
      whileIn(() => consumer.pause([{ topic, partitions: [partition] }])),
    resume: (topic, partition) =>
      whileIn(() => consumer.resume([{ topic, partitions: [partition] }])),
    commit: (topic, partition, next) =>
      told(`to commit ${topic}/${partition}`, () =>
        consumer.commitOffsets([{ topic, partition, offset: String(next) }]),
      ),
    leave() {
      left ??= consumer.disconnect().catch(() => undefined)
      return left
    },
  }
}

/** A consumer that has crashed or left throws at what it is told. */
function whileIn(tell: () => void): void {
  try {
    tell()
  } catch (error) {
    if (!(error instanceof Error && error.name === 'KafkaJSNonRetriableError')) throw error
  }
}

/** The offset that was asked for; kafkajs has it, without saying so in its types. */
function fetchedFrom(batch: Batch): number {
  return Number((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset)
}

function recordOf(message: Batch['messages'][number]): FetchedRecord {
  const { offset, timestamp, key, value } = message
  return { offset: Number(offset), timestamp: Number(timestamp), key, value }
}

function byPartition<T extends { readonly partition: number }>(answers: readonly T[]): T[] {
  return answers.toSorted((a, b) => a.partition - b.partition)
}
