/** Partitions that come, go and turn out to be others: nothing of a lost one counts. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { pino } from 'pino'
import { brokerMissing, sharedBroker } from '../broker.fixture.ts'
import { deferred, eventually, Inbox, numbered, text } from '../log.fixture.ts'
import type { Log, LogBatch } from '../log.ts'
import type { JoinOptions, Member } from './driver.ts'
import {
  newPrefix,
  openTestKafkaLog,
  plainConnection,
  withAdmin,
  withOwn,
} from './kafka-log.fixture.ts'

const skip = brokerMissing()
const address = skip === false ? await sharedBroker() : ''
const connection = plainConnection(address === '' ? 'localhost:9092' : address)

describe('a member of a group', { skip, timeout: 90_000 }, () => {
  const clock = { now: 0 }
  const topicPrefix = newPrefix()
  const lines: Record<string, unknown>[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) })
  let log: Log
  let topic = ''
  let group = ''

  before(async () => {
    log = await openTestKafkaLog({ connection, topicPrefix, logger, monotonic: () => clock.now })
  })
  after(() => log.close())

  async function newTopic(partitions: number): Promise<void> {
    topic = `group-${randomUUID()}`
    group = `group-${randomUUID()}`
    await log.ensureTopics([{ name: topic, partitions }])
  }

  it('that was silent for a session loses its batch, and is asked anew when the broker knows it still', async () => {
    await newTopic(1)
    await log.append(topic, numbered(3))
    const [held, gate] = [deferred<LogBatch>(), deferred()]
    const inbox = new Inbox()
    let asked = 0
    const consumer = await log.consume(
      { topics: [topic], group, startAt: async () => asked++ },
      async (batch) => {
        if (asked > 1) return inbox.take(batch)
        held.resolve(batch)
        await gate.promise
      },
    )
    const batch = await held.promise
    assert.ok(batch.isCurrent())
    clock.now += 10_001
    assert.equal(batch.isCurrent(), false)
    await assert.rejects(consumer.commit(topic, 0, 3), { code: 'LOG' })
    await eventually(() => asked === 1)
    assert.equal(inbox.count, 0, 'the handler at work is waited for')
    gate.resolve()
    await inbox.until(() => inbox.count === 2)
    assert.deepEqual([asked, batch.isCurrent(), inbox.batches[0]?.isCurrent()], [2, false, true])
    assert.deepEqual(inbox.all().map(text), ['v1', 'v2'])
    await consumer.commit(topic, 0, 3)
    assert.deepEqual(await log.committed(group, topic), [3])
    await consumer.stop()
  })

  it('shares the partitions with others, and takes them back', async () => {
    await newTopic(4)
    await log.append(topic, numbered(40))
    const other = await openTestKafkaLog({ connection, topicPrefix })
    const [first, second] = [new Inbox(), new Inbox()]
    const options = { topics: [topic], group, startAt: async () => 0 }
    const one = await log.consume(options, first.take)
    await first.until(() => first.count === 40)
    const lost = [...first.batches]
    const two = await other.consume(options, second.take)
    await second.until(() => second.batches.length > 0)
    const heldBy = (consumer: typeof one): number[] =>
      consumer
        .progress()
        .map(({ partition }) => partition)
        .toSorted()
    await eventually(() => heldBy(one).length === 2 && heldBy(two).length === 2)
    assert.deepEqual([...heldBy(one), ...heldBy(two)].toSorted(), [0, 1, 2, 3])
    assert.ok(lost.every((batch) => !batch.isCurrent()))
    for (const partition of heldBy(two))
      await assert.rejects(one.commit(topic, partition, 1), { code: 'LOG' })
    await two.stop()
    await eventually(() => heldBy(one).length === 4)
    await one.stop()
    await other.close()
  })

  it('that is out of the group joins again and goes on', async () => {
    await newTopic(1)
    const joined: JoinOptions[] = []
    const members: Member[] = []
    const crashing = await openTestKafkaLog({
      connection,
      topicPrefix,
      around: (driver) =>
        withOwn(driver, {
          async join(options) {
            joined.push(options)
            const member = await driver.join(options)
            members.push(member)
            return member
          },
        }),
    })
    await log.append(topic, numbered(2))
    const inbox = new Inbox()
    let next = 0
    const consumer = await crashing.consume(
      { topics: [topic], group, startAt: async () => next },
      async (batch) => {
        next = batch.next
        await inbox.take(batch)
      },
    )
    await inbox.until(() => inbox.count === 2)
    await members[0]?.leave()
    joined[0]?.onEnded(new Error('crashed'))
    assert.ok(inbox.batches.every((batch) => !batch.isCurrent()))
    await log.append(topic, numbered(2, 2))
    await inbox.until(() => inbox.count === 4)
    assert.equal(members.length, 2)
    await consumer.stop()
    await crashing.close()
    assert.deepEqual(inbox.all().map(text), ['v0', 'v1', 'v2', 'v3'])
  })

  it('that joins while the log is closed leaves, and nothing is read', async () => {
    await newTopic(1)
    const [joining, gate, left] = [deferred(), deferred(), deferred()]
    const closing = await openTestKafkaLog({
      connection,
      topicPrefix,
      around: (driver) =>
        withOwn(driver, {
          async join(options) {
            const member = await driver.join(options)
            joining.resolve()
            await gate.promise
            return { ...member, leave: () => member.leave().then(left.resolve) }
          },
        }),
    })
    const consuming = closing.consume(
      { topics: [topic], group, startAt: async () => 0 },
      async () => assert.fail('a batch of a closed log'),
    )
    await Promise.all([
      assert.rejects(consuming, { code: 'LOG' }),
      joining.promise.then(() => closing.close()),
    ])
    gate.resolve()
    await left.promise
  })

  async function beginAnew(): Promise<void> {
    await withAdmin(address, (admin) => admin.deleteTopics({ topics: [`${topicPrefix}${topic}`] }))
    await eventually(async () => {
      await log.ensureTopics([{ name: topic, partitions: 1 }])
      return log.endOffsets(topic).then(
        (ends) => ends[0] === 0,
        () => false,
      )
    })
  }

  it('asks anew when the topic is another one, and waits where that has not come to', async () => {
    await newTopic(1)
    await log.append(topic, numbered(5))
    const inbox = new Inbox()
    const starts: number[] = []
    let next = 0
    const consumer = await log.consume(
      {
        topics: [topic],
        group,
        startAt: async () => {
          starts.push(next)
          return next
        },
      },
      async (batch) => {
        next = batch.next
        await inbox.take(batch)
      },
    )
    await inbox.until(() => inbox.count === 5)
    await beginAnew()
    await eventually(() => starts.length > 1)
    assert.deepEqual(new Set(starts.slice(1)), new Set([5]))
    await log.append(topic, numbered(7))
    await inbox.until(() => inbox.count === 7)
    assert.deepEqual(inbox.all().slice(5).map(text), ['v5', 'v6'])
    await consumer.stop()
  })

  it('without a group stops at a topic that is another one, and says so', async () => {
    await newTopic(1)
    await log.append(topic, numbered(5))
    const inbox = new Inbox()
    const follower = await log.follow(topic, [0], inbox.take)
    await inbox.until(() => inbox.count === 5)
    await beginAnew()
    const isTold = ({ err }: Record<string, unknown>): boolean =>
      (err as { code?: string } | undefined)?.code === 'LOG_REPLACED'
    await eventually(() => lines.some(isTold))
    await follower.stop()
    assert.equal(inbox.count, 5)
  })

  it('without a group leaves no group behind', async () => {
    await newTopic(1)
    await log.append(topic, numbered(1))
    const inbox = new Inbox()
    const follower = await log.follow(topic, [0], inbox.take)
    await inbox.until(() => inbox.count === 1)
    assert.equal((await followers()).length, 1)
    await follower.stop()
    assert.deepEqual(await followers(), [])
  })

  const followers = (): Promise<string[]> =>
    withAdmin(address, async (admin) => {
      const { groups } = await admin.listGroups()
      const ids = groups.map(({ groupId }) => groupId)
      return ids.filter((id) => id.startsWith(`${topicPrefix}follow-`))
    })
})
