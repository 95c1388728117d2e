/** What other programs and the broker itself leave in a partition: every offset of it is covered all the same. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { CompressionTypes, type Producer } from 'kafkajs'
import { brokerMissing, sharedBroker } from '../broker.fixture.ts'
import { deferred, Inbox, numbered, text } from '../log.fixture.ts'
import type { Log } from '../log.ts'
import {
  createElsewhere,
  foreignClient,
  openTestKafkaLog,
  plainConnection,
  withAdmin,
} from './kafka-log.fixture.ts'

const skip = brokerMissing()
const address = skip === false ? await sharedBroker() : ''

describe('records that others left on Kafka', { skip, timeout: 60_000 }, () => {
  let log: Log
  let producer: Producer
  let topic = ''
  const transactions = new Set<Producer>()

  before(async () => {
    log = await openTestKafkaLog({ connection: plainConnection(address) })
    producer = foreignClient(address).producer()
    await producer.connect()
  })
  after(async () => {
    await log.close()
    for (const client of [producer, ...transactions]) await client.disconnect()
  })

  async function newTopic(): Promise<void> {
    topic = `foreign-${randomUUID()}`
    await log.ensureTopics([{ name: topic, partitions: 1 }])
  }

  async function inTransaction(values: readonly string[], end: 'commit' | 'abort'): Promise<void> {
    const transactional = foreignClient(address).producer({
      transactionalId: randomUUID(),
      maxInFlightRequests: 1,
      idempotent: true,
    })
    transactions.add(transactional)
    await transactional.connect()
    const transaction = await transactional.transaction()
    await transaction.send({ topic, messages: values.map((value) => ({ value })) })
    await transaction[end]()
  }

  async function consumed(untilOffset: number, from = 0): Promise<Inbox> {
    const inbox = new Inbox()
    const consumer = await log.consume(
      { topics: [topic], group: randomUUID(), startAt: async () => from },
      inbox.take,
    )
    await inbox.until(() => inbox.batches.some(({ next }) => next >= untilOffset))
    await consumer.stop()
    return inbox
  }

  function assertJoined(inbox: Inbox, from: number, next: number): void {
    assert.equal(inbox.batches[0]?.from, from)
    assert.equal(inbox.batches.at(-1)?.next, next)
    inbox.batches.forEach((batch, i) => {
      if (i > 0) assert.equal(batch.from, inbox.batches[i - 1]?.next)
      for (const { offset } of batch.records) assert.ok(offset >= batch.from && offset < batch.next)
    })
  }

  it('without key, with headers, and tombstones are handed over', async () => {
    await newTopic()
    const headers = { origin: 'elsewhere' }
    await producer.send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: [
        { value: 'bare', headers },
        { key: 'k', value: null },
        { key: null, value: '' },
      ],
    })
    const inbox = await consumed(3)
    assert.deepEqual(
      inbox.all().map(({ key, value }) => [key, value.toString()]),
      [
        [null, 'bare'],
        ['k', ''],
        [null, ''],
      ],
    )
  })

  it('in transactions leave holes, at the end of the partition too', async () => {
    await newTopic()
    await inTransaction(['kept'], 'commit')
    await inTransaction(['gone', 'gone'], 'abort')
    const [end = 0] = await log.endOffsets(topic)
    assert.equal(end, 5)
    const whole = await consumed(end)
    assertJoined(whole, 0, end)
    assert.deepEqual(whole.all().map(text), ['kept'])
    for (let from = 1; from < end; from++) assertJoined(await consumed(end, from), from, end)
  })

  it('between transactions of others are handed over', async () => {
    await newTopic()
    await inTransaction(['gone'], 'abort')
    await log.append(topic, numbered(2))
    await inTransaction(['kept'], 'commit')
    await log.append(topic, numbered(1, 2))
    const [end = 0] = await log.endOffsets(topic)
    const inbox = await consumed(end)
    assertJoined(inbox, 0, end)
    assert.deepEqual(inbox.all().map(text), ['v0', 'v1', 'kept', 'v2'])
  })

  it('that retention removed before the start are a hole', async () => {
    await newTopic()
    await log.append(topic, numbered(10))
    await removeBelow(6)
    assert.deepEqual(await log.beginningOffsets(topic), [6])
    const inbox = await consumed(10, 2)
    assertJoined(inbox, 2, 10)
    assert.deepEqual(inbox.all().map(text), ['v6', 'v7', 'v8', 'v9'])
    assertJoined(await consumed(10, 6), 6, 10)
  })

  it('that retention removed ahead of a slow consumer are a hole', async () => {
    await newTopic()
    const value = 'x'.repeat(100_000)
    await log.append(
      topic,
      Array.from({ length: 100 }, () => ({ key: null, value })),
    )
    const inbox = new Inbox()
    const [started, gate] = [deferred(), deferred()]
    const reached: number[] = []
    const consumer = await log.consume(
      {
        topics: [topic],
        group: randomUUID(),
        startAt: async () => reached.at(-1) ?? 0,
        maxBatchRecords: 10,
      },
      async (batch) => {
        started.resolve()
        await gate.promise
        if (!batch.isCurrent()) return
        reached.push(batch.next)
        await inbox.take(batch)
      },
    )
    await started.promise
    await removeBelow(97)
    gate.resolve()
    await inbox.until(() => reached.at(-1) === 100)
    await consumer.stop()
    assertJoined(inbox, 0, 100)
    assert.ok(inbox.count < 100)
    assert.deepEqual(
      inbox
        .all()
        .slice(-3)
        .map(({ offset }) => offset),
      [97, 98, 99],
    )
  })

  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'])
    it(`compressed with ${codec} are read`, async () => {
      topic = `foreign-${randomUUID()}`
      await createElsewhere(address, topic, 1, { 'compression.type': codec }) // the broker compresses
      const values = Array.from({ length: 500 }, (_, i) => `${i} ${'the same again '.repeat(20)}`)
      await log.append(
        topic,
        values.map((value) => ({ key: null, value })),
      )
      assert.deepEqual((await consumed(500)).all().map(text), values)
    })

  async function removeBelow(offset: number): Promise<void> {
    await withAdmin(address, async (admin) => {
      await admin.fetchTopicOffsets(topic) // loads what the next call needs
      const partitions = [{ partition: 0, offset: String(offset) }]
      await admin.deleteTopicRecords({ topic, partitions })
    })
  }
})
