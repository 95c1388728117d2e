/** What three brokers of which one dies do to appends. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type Admin, Kafka, logLevel, type Message, type Producer } from 'kafkajs'
import { type Broker, brokerMissing, startCluster } from '../../infra/log/broker.fixture.ts'
import {
  newPrefix,
  openTestKafkaLog,
  plainConnection,
} from '../../infra/log/kafka/kafka-log.fixture.ts'
import { Inbox, numbered, text } from '../../infra/log/log.fixture.ts'
import type { Log, Position } from '../../infra/log/log.ts'

describe('a leader that dies', { skip: brokerMissing(), timeout: 120_000 }, () => {
  let brokers: readonly Broker[] = []
  let kafka: Kafka
  let admin: Admin

  before(async () => {
    brokers = await startCluster()
    kafka = new Kafka({
      brokers: addresses(),
      logLevel: logLevel.NOTHING,
      retry: { retries: 30, initialRetryTime: 200, maxRetryTime: 500 },
    })
    admin = kafka.admin()
    await admin.connect()
  })

  after(async () => {
    await admin?.disconnect()
    await Promise.all(brokers.map((broker) => broker.stop()))
  })

  const addresses = (): string[] => brokers.map(({ address }) => address)

  /** Three partitions, each led by a broker of its own. */
  async function createTopic(): Promise<string> {
    const topic = `loss-${randomUUID()}`
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: 3, replicationFactor: 3 }],
    })
    assert.deepEqual(new Set(await leaders(topic)), new Set([1, 2, 3]))
    return topic
  }

  /** It takes no more part: the others elect leaders without it. */
  function hang(broker: number): void {
    process.kill(brokers[broker - 1]?.pid ?? 0, 'SIGSTOP')
  }

  /** By partition. */
  async function leaders(topic: string): Promise<number[]> {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics.flatMap((found) => found.partitions)
    return partitions.toSorted((a, b) => a.partitionId - b.partitionId).map(({ leader }) => leader)
  }

  /** Ours, over the same brokers; its first records are in every partition. */
  async function openLog(): Promise<{ log: Log; onCluster: string }> {
    const topicPrefix = newPrefix()
    const connection = { ...plainConnection(''), brokers: addresses() }
    const log = await openTestKafkaLog({
      connection,
      topicPrefix,
      replicationFactor: 3,
      minInsyncReplicas: 2,
    })
    await log.ensureTopics([{ name: 'posts', partitions: 3 }])
    await log.append('posts', numbered(30))
    return { log, onCluster: `${topicPrefix}posts` }
  }

  it('makes one send of kafkajs over all partitions lose those of one, and none of ours', async (t) => {
    const topic = await createTopic()
    const producer = kafka.producer({ createPartitioner: () => (to) => Number(to.message.key) })
    t.after(() => producer.disconnect())
    await producer.connect()
    await producer.send({ topic, acks: -1, messages: messages([0, 1, 2], 1) })
    const { log, onCluster } = await openLog()
    t.after(() => log.close())
    const [victim = 0] = await leaders(topic)
    assert.ok((await leaders(onCluster)).includes(victim))

    const othersAnswered = answersToProduce(producer, 2)
    hang(victim)
    const sending = producer.send({ topic, acks: -1, messages: messages([0, 1, 2], 100) })
    const appending = log.append('posts', numbered(300, 30))
    await othersAnswered
    await brokers[victim - 1]?.kill()

    const resolved = await sending
    assert.deepEqual(resolved.map(({ partition }) => partition).sort(), [1, 2])
    const held = await admin.fetchTopicOffsets(topic)
    assert.deepEqual(
      held.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high),
      ['1', '101', '101'],
      'the 100 messages of the partition whose leader died are nowhere',
    )

    const positions = await appending
    const found = await readAll(log, positions)
    assert.deepEqual(
      positions.map(({ partition, offset }) => found.get(`${partition}/${offset}`)),
      numbered(300, 30).map(({ value }) => value),
    )
  })
})

/** The values of all records up to those positions, by 'partition/offset'. */
async function readAll(
  log: Log,
  positions: readonly Position[],
): Promise<ReadonlyMap<string, string>> {
  const inbox = new Inbox()
  const follower = await log.follow('posts', [], inbox.take)
  const found = (): ReadonlyMap<string, string> =>
    new Map(
      inbox.batches.flatMap(({ partition, records }) =>
        records.map((record) => [`${partition}/${record.offset}`, text(record)] as const),
      ),
    )
  const furthest = [0, 1, 2].map((partition) =>
    Math.max(...positions.filter((at) => at.partition === partition).map(({ offset }) => offset)),
  )
  await inbox.until(() =>
    furthest.every((offset, partition) => (inbox.of(partition).at(-1)?.next ?? 0) > offset),
  )
  await follower.stop()
  return found()
}

/** `count` messages for each partition, keyed by it. */
const messages = (partitions: readonly number[], count: number): Message[] =>
  partitions.flatMap((partition) =>
    Array.from({ length: count }, (_, i) => ({ key: String(partition), value: `message ${i}` })),
  )

/** Resolves when `count` brokers have answered a produce request. */
function answersToProduce(producer: Producer, count: number): Promise<void> {
  const answered = new Set<string>()
  return new Promise((resolve) => {
    producer.on('producer.network.request', ({ payload }) => {
      if (payload.apiName === 'Produce') answered.add(payload.broker)
      if (answered.size >= count) resolve()
    })
  })
}
