/** What three brokers of which one dies do to appends. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { type Admin, Kafka, logLevel, type Message, type Producer } from 'kafkajs'
import { type Broker, brokerMissing, startCluster } from '../broker.fixture.ts'

describe('a leader that dies', { skip: brokerMissing(), timeout: 120_000 }, () => {
  let brokers: readonly Broker[] = []
  let kafka: Kafka
  let admin: Admin

  before(async () => {
    brokers = await startCluster()
    kafka = new Kafka({
      brokers: brokers.map(({ address }) => address),
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

  it('makes kafkajs resolve one send over all partitions although it dropped those of one', async () => {
    const topic = await createTopic()
    const producer = kafka.producer({
      createPartitioner: () => (to) => Number(to.message.key),
    })
    await producer.connect()
    await producer.send({ topic, acks: -1, messages: messages([0, 1, 2], 1) })
    const [victim = 0] = await leaders(topic)
    const othersAnswered = answersToProduce(producer, 2)
    hang(victim)
    const sending = producer.send({ topic, acks: -1, messages: messages([0, 1, 2], 100) })
    await othersAnswered
    await brokers[victim - 1]?.kill()
    const resolved = await sending
    const held = await admin.fetchTopicOffsets(topic)
    await producer.disconnect()
    await brokers[victim - 1]?.restart()

    assert.deepEqual(resolved.map(({ partition }) => partition).sort(), [1, 2])
    assert.deepEqual(
      held.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high),
      ['1', '101', '101'],
      'the 100 messages of the partition whose leader died are nowhere',
    )
  })
})

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
