/** A broker that dies and comes back: nothing that was acknowledged is lost, and reading goes on by itself. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Broker, brokerMissing, startBroker } from '../../infra/log/broker.fixture.ts'
import { openTestKafkaLog, plainConnection } from '../../infra/log/kafka/kafka-log.fixture.ts'
import { eventually, Inbox, numbered, text } from '../../infra/log/log.fixture.ts'
import type { Log } from '../../infra/log/log.ts'

describe('a broker that is killed', { skip: brokerMissing(), timeout: 120_000 }, () => {
  let broker: Broker
  let log: Log
  before(async () => {
    broker = await startBroker()
    log = await openTestKafkaLog({ connection: plainConnection(broker.address) })
  })
  after(async () => {
    await log.close()
    await broker.stop()
  })

  it('is waited for by who appends, consumes and follows', async () => {
    const topic = 'survivors'
    await log.ensureTopics([{ name: topic, partitions: 2 }])
    const [consumed, followed] = [new Inbox(), new Inbox()]
    const reached = [0, 0]
    const consumer = await log.consume(
      {
        topics: [topic],
        group: 'survivors',
        startAt: async (_, partition) => reached[partition] ?? 0,
      },
      async (batch) => {
        reached[batch.partition] = batch.next
        await consumed.take(batch)
      },
    )
    const follower = await log.follow(topic, [0, 0], followed.take)
    const taken: string[] = []
    let next = 0
    const append = async (): Promise<void> => {
      const records = numbered(5, next)
      next += 5
      await log.append(topic, records)
      taken.push(...records.map(({ value }) => String(value)))
    }
    for (let i = 0; i < 20; i++) await append()
    await broker.kill()
    const waiting = Array.from({ length: 4 }, append)
    await broker.restart()
    await Promise.allSettled(waiting)
    await eventually(() =>
      append().then(
        () => true,
        () => false,
      ),
    )
    const has = (inbox: Inbox): boolean => {
      const read = new Set(inbox.all().map(text))
      return taken.every((value) => read.has(value))
    }
    await consumed.until(() => has(consumed))
    await consumer.commit(topic, 0, 1) // it is in the group again
    await followed.until(() => has(followed))
    for (const inbox of [consumed, followed])
      for (const batches of [inbox.of(0), inbox.of(1)])
        batches.forEach((batch, i) => {
          if (i > 0) assert.equal(batch.from, batches[i - 1]?.next)
        })
    await consumer.stop()
    await follower.stop()
  })
})
