import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { brokerMissing, sharedBroker } from '../../infra/log/broker.fixture.ts'
import {
  foreignClient,
  openTestKafkaLog,
  plainConnection,
  withAdmin,
} from '../../infra/log/kafka/kafka-log.fixture.ts'
import { VirtualTime } from '../virtual-time.fixture.ts'
import { createKafkaTopic } from './kafka-topic.ts'
import { Run } from './web.fixture.ts'

describe('createKafkaTopic on a real broker', { skip: brokerMissing() }, () => {
  it('reads a topic whose producers set times of their own, and goes on where it ended', async () => {
    const address = await sharedBroker()
    const topic = `vendor-${randomUUID()}`
    await withAdmin(address, (admin) =>
      admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }),
    )
    const producer = foreignClient(address).producer()
    await producer.connect()
    const time = new VirtualTime(Date.now())
    const source = createKafkaTopic(
      {
        type: 'kafka-topic',
        name: 'vendor',
        owner: 'desk',
        kind: 'news',
        undated: 'history',
        datesWithoutZone: 'unknown',
        freshMinutes: 10,
        brokers: [address],
        topic,
        group: `group-${randomUUID()}`,
        from: 'beginning',
        mapping: { id: '/uuid', text: '/body', publishedAt: '/at' },
      },
      {
        clock: time.clock,
        openLog: () =>
          openTestKafkaLog({ connection: plainConnection(address), createTopics: false }),
      },
    )
    const at = new Date(time.now).toISOString()
    const story = (uuid: string) => ({ value: JSON.stringify({ uuid, body: `Story ${uuid}`, at }) })
    const send = (messages: { value: string | null }[]) => producer.send({ topic, messages })

    async function readUntil(count: number): Promise<Run> {
      const run = new Run(time)
      const { onReading, stopping } = run
      let seen = 0
      await source.run({
        ...run,
        signal: run.signal,
        onReading(counts) {
          onReading(counts)
          seen += counts.fresh + counts.refused
          if (seen >= count) stopping.abort()
        },
      })
      return run
    }

    try {
      await send([story('a'), { value: null }, { value: 'no JSON' }, story('b')])
      const first = await readUntil(4)
      assert.deepEqual(
        first
          .posts()
          .map(({ id }) => id)
          .toSorted(),
        ['vendor:a', 'vendor:b'],
      )
      assert.equal(first.letters().length, 2)
      await send([story('c')])
      assert.deepEqual(
        (await readUntil(1)).posts().map(({ id }) => id),
        ['vendor:c'],
      )
    } finally {
      await producer.disconnect()
      await withAdmin(address, (admin) => admin.deleteTopics({ topics: [topic] }))
    }
  })
})
