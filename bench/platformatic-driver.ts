/**
 * The Kafka log's driver over @platformatic/kafka 1.35, to measure what a change of client would bring: no product code. It fetches by itself,
 * because that client's stream knows neither a pause nor a seek of one partition. Without TLS, SASL and the wording of failures.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Admin, Consumer, Producer, type RecordsBatch } from '@platformatic/kafka'
import { AppError, describeError } from '../infra/errors.ts'
import type { Connection } from '../infra/log/kafka/connection.ts'
import type {
  FetchedRecord,
  JoinOptions,
  KafkaDriver,
  Member,
  OffsetRange,
  TopicDescription,
} from '../infra/log/kafka/driver.ts'

const latest = -1n
const earliest = -2n
const readCommitted = 1
const topicResource = 2
const controlBatch = 0b10_0000
const logAppendTime = 0b1000
const partitionBytes = 1024 * 1024
const fetchWaitMs = 250
const fetchBackoffMs = 200

export function createPlatformaticDriver({ brokers, clientId }: Connection): KafkaDriver {
  const base = {
    clientId,
    bootstrapBrokers: [...brokers],
    retries: 16,
    retryDelay: 500,
    timeout: 15_000,
  }
  const admin = new Admin(base)
  const producer = new Producer({ ...base, autocreateTopics: false })

  async function partitionCount(topic: string): Promise<number> {
    const { topics } = await admin.metadata({ topics: [topic] })
    return topics.get(topic)?.partitionsCount ?? 0
  }

  async function listed(topic: string, timestamp: bigint): Promise<number[]> {
    const partitions = Array.from({ length: await partitionCount(topic) }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp,
    }))
    const [found] = await admin.listOffsets({
      topics: [{ name: topic, partitions }],
      isolationLevel: readCommitted,
    })
    return (found?.partitions ?? [])
      .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
      .map(({ offset }) => Number(offset))
  }

  async function describe(name: string): Promise<TopicDescription> {
    const partitions = await partitionCount(name)
    const [found] = await admin.describeConfigs({
      resources: [{ resourceType: topicResource, resourceName: name }],
    })
    const entries = found?.configs ?? []
    const config = new Map(entries.map((entry) => [entry.name, entry.value ?? '']))
    return { partitions, config }
  }

  return {
    async connect() {
      await told(() => admin.metadata({ topics: [] }))
    },
    // Metadata of a topic that does not exist is asked for again and again, and then an error.
    describeTopics: (names) =>
      told(async () => {
        const known = new Set(await admin.listTopics())
        const present = names.filter((name) => known.has(name))
        return new Map(
          await Promise.all(present.map(async (name) => [name, await describe(name)] as const)),
        )
      }),
    createTopics: (topics) =>
      told(async () => {
        for (const { name, partitions, replicationFactor, config } of topics)
          await admin.createTopics({
            topics: [name],
            partitions,
            replicas: replicationFactor,
            configs: Object.entries(config).map(([key, value]) => ({ name: key, value })),
          })
      }),
    offsets: (topic) =>
      told(async (): Promise<readonly OffsetRange[]> => {
        const [begins, ends] = [await listed(topic, earliest), await listed(topic, latest)]
        return ends.map((end, partition) => ({ begin: begins[partition] ?? end, end }))
      }),
    offsetsAt: (topic, time) =>
      told(async () => {
        const [found, ends] = [await listed(topic, BigInt(time)), await listed(topic, latest)]
        return found.map((offset, partition) => (offset < 0 ? (ends[partition] ?? 0) : offset))
      }),
    send: (topic, partition, records) =>
      told(async () => {
        const { offsets } = await producer.send({
          acks: -1,
          messages: records.map(({ key, value }) => ({
            topic,
            partition,
            ...(key === null ? {} : { key: Buffer.from(key) }),
            value: Buffer.from(value),
          })),
        })
        const first = offsets?.find((answer) => answer.partition === partition)?.offset
        if (first === undefined) throw new Error(`no offset of ${topic}/${partition}`)
        return Number(first)
      }),
    committed: (group, topic) =>
      told(async () => {
        const count = await partitionCount(topic)
        const [found] = await admin.listConsumerGroupOffsets({ groups: [group] })
        const known = found?.topics.find(({ name }) => name === topic)?.partitions ?? []
        const by = new Map(known.map((of) => [of.partitionIndex, Number(of.committedOffset)]))
        return Array.from({ length: count }, (_, partition) => by.get(partition) ?? -1)
      }),
    join: (options) => told(() => join(base, options)),
    deleteGroup: (group) => told(() => admin.deleteGroups({ groups: [group] })),
    async close() {
      await Promise.allSettled([producer.close(), admin.close()])
    },
  }
}

interface Place {
  readonly topic: string
  readonly partition: number
  /** `undefined` until it is sought. */
  offset: number | undefined
  paused: boolean
}

async function join(
  base: ConstructorParameters<typeof Admin>[0],
  options: JoinOptions,
): Promise<Member> {
  const { group, topics, sessionTimeoutMs } = options
  const consumer = new Consumer({
    ...base,
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: Math.max(sessionTimeoutMs, 10_000),
    heartbeatInterval: Math.min(1_000, Math.floor(sessionTimeoutMs / 5)),
  })
  const leaving = new AbortController()
  let places = new Map<string, Place>()
  let left: Promise<void> | undefined

  consumer.on('consumer:group:join', ({ assignments = [] }) => {
    if (left !== undefined) return
    const assigned = assignments.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    places = new Map(
      assigned.map((at) => [keyOf(at), { ...at, offset: undefined, paused: false }] as const),
    )
    options.onAlive()
    options.onAssigned(assigned)
  })
  consumer.on('consumer:heartbeat:end', () => {
    if (left === undefined) options.onAlive()
  })
  consumer.topics.trackAll(...topics)
  await consumer.joinGroup({})
  void fetchAll()

  async function fetchAll(): Promise<void> {
    while (left === undefined) {
      const ready = [...places.values()].filter(
        ({ offset, paused }) => offset !== undefined && !paused,
      )
      const before = places
      try {
        if (ready.length === 0) await delay(10, undefined, { signal: leaving.signal })
        else await fetchOnce(ready, () => places === before && left === undefined)
      } catch {
        consumer.clearMetadata()
        await delay(fetchBackoffMs, undefined, { signal: leaving.signal }).catch(() => undefined)
      }
    }
  }

  /** One request a leader; each is answered when one of its partitions has records. */
  async function fetchOnce(ready: readonly Place[], isCurrent: () => boolean): Promise<void> {
    const metadata = await consumer.metadata({ topics: [...topics] })
    const byLeader = new Map<number, Place[]>()
    for (const place of ready) {
      const leader = metadata.topics.get(place.topic)?.partitions[place.partition]?.leader ?? -1
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), place])
    }
    const names = new Map(topics.map((topic) => [metadata.topics.get(topic)?.id ?? '', topic]))
    const fetching = [...byLeader].map(async ([node, led]) => {
      const askedAt = new Map(led.map((place) => [place, place.offset ?? 0]))
      const { responses } = await consumer.fetch({
        node,
        minBytes: 1,
        maxWaitTime: fetchWaitMs,
        isolationLevel: readCommitted,
        topics: [...names].flatMap(([topicId, topic]) => {
          const partitions = led
            .filter((place) => place.topic === topic)
            .map(({ partition, offset = 0 }) => ({
              partition,
              fetchOffset: BigInt(offset),
              partitionMaxBytes: partitionBytes,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
            }))
          return partitions.length === 0 ? [] : [{ topicId, partitions }]
        }),
      })
      for (const { topicId, partitions } of responses)
        for (const { partitionIndex, records = [], highWatermark } of partitions) {
          const topic = names.get(topicId) ?? ''
          const place = led.find((of) => of.topic === topic && of.partition === partitionIndex)
          const from = place && askedAt.get(place)
          const isAsked = place !== undefined && place.offset === from && !place.paused
          const last = records.at(-1)
          if (!isCurrent() || !isAsked || from === undefined || last === undefined) continue
          const next = Number(last.firstOffset) + last.lastOffsetDelta + 1
          const batch = { topic, partition: partitionIndex, from, next, end: Number(highWatermark) }
          if (next <= from) continue
          const taken = options.onBatch({ ...batch, records: recordsOf(records, from) })
          if (taken && place.offset === from) place.offset = next
        }
    })
    await Promise.all(fetching)
  }

  async function close(): Promise<void> {
    try {
      await consumer.close(true)
    } catch {
      // the broker forgets the member by itself
    }
  }

  return {
    seek(topic, partition, offset) {
      const place = places.get(keyOf({ topic, partition }))
      if (place !== undefined) place.offset = offset
    },
    pause(topic, partition) {
      const place = places.get(keyOf({ topic, partition }))
      if (place !== undefined) place.paused = true
    },
    resume(topic, partition) {
      const place = places.get(keyOf({ topic, partition }))
      if (place !== undefined) place.paused = false
    },
    commit: (topic, partition, next) =>
      told(() =>
        consumer.commit({ offsets: [{ topic, partition, offset: BigInt(next), leaderEpoch: -1 }] }),
      ),
    leave() {
      leaving.abort()
      left ??= close()
      return left
    },
  }
}

function recordsOf(batches: readonly RecordsBatch[], from: number): FetchedRecord[] {
  return batches
    .filter(({ attributes }) => (attributes & controlBatch) === 0)
    .flatMap(({ firstOffset, firstTimestamp, maxTimestamp, attributes, records }) =>
      records.map(({ offsetDelta, timestampDelta, key, value }) => ({
        offset: Number(firstOffset) + offsetDelta,
        timestamp: Number(
          (attributes & logAppendTime) === 0 ? firstTimestamp + timestampDelta : maxTimestamp,
        ),
        key,
        value,
      })),
    )
    .filter(({ offset }) => offset >= from)
}

const keyOf = ({ topic, partition }: { topic: string; partition: number }): string =>
  `${topic}/${partition}`

async function told<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw new AppError('LOG', `Kafka: ${describeError(cause)}`, { retryable: true, cause })
  }
}
