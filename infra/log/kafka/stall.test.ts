/** Members that stop working without an error, on a real broker: consumption goes on. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { silentLogger } from '../../logger.ts'
import { brokerMissing, sharedBroker } from '../broker.fixture.ts'
import { deferred, eventually, Inbox, numbered, text } from '../log.fixture.ts'
import type { LogBatch } from '../log.ts'
import type { KafkaDriver } from './driver.ts'
import {
  isNeverAssigned,
  swallowsFrom,
  type Tampering,
  tamperedDriver,
} from './failing-driver.fixture.ts'
import { newPrefix, plainConnection } from './kafka-log.fixture.ts'
import { createKafkaLog, type KafkaLog } from './kafka-log.ts'
import { createKafkajsDriver } from './kafkajs.ts'

const topic = 'posts'
const watchdog = { stallMs: 1_000, assignmentMs: 1_000, joinMs: 20_000 }

const skip = brokerMissing()
const address = skip === false ? await sharedBroker() : ''

describe('the member of a group', { skip, timeout: 60_000 }, () => {
  async function open(prefix: string, tamper?: Tampering): Promise<KafkaLog> {
    const driver = createKafkajsDriver({
      connection: plainConnection(address),
      logger: silentLogger,
    })
    await driver.connect()
    const log = logOver(tamper === undefined ? driver : tamperedDriver(driver, tamper), prefix)
    await log.ensureTopics([{ name: topic, partitions: 2 }])
    return log
  }

  function logOver(driver: KafkaDriver, topicPrefix: string): KafkaLog {
    return createKafkaLog({
      driver,
      logger: silentLogger,
      watchdog,
      options: {
        topicPrefix,
        createTopics: true,
        replicationFactor: 1,
        minInsyncReplicas: 0,
        sessionTimeoutMs: 10_000,
      },
    })
  }

  const replacements = (log: KafkaLog): unknown => log.groups()[0]?.replacements

  it('is replaced when a rebalance left it without batches', async (t) => {
    const prefix = newPrefix()
    const [first, second] = [await open(prefix, swallowsFrom(1)), await open(prefix)]
    t.after(() => Promise.all([first.close(), second.close()]))
    const inbox = new Inbox()
    const options = { topics: [topic], group: randomUUID(), startAt: async () => 0 }
    const consumers = [
      await first.consume(options, inbox.take),
      await second.consume(options, inbox.take),
    ]
    await eventually(() => consumers.every((consumer) => consumer.progress().length === 1))
    await first.append(topic, numbered(40))
    await inbox.until(() => new Set(inbox.all().map(text)).size === 40)
    assert.deepEqual(replacements(first), { ended: 0, unassigned: 0, stalled: 1 })
    assert.deepEqual(replacements(second), { ended: 0, unassigned: 0, stalled: 0 })
  })

  it('is replaced as a whole: a batch in hand of another partition counts for nothing', async (t) => {
    const log = await open(newPrefix(), swallowsFrom(0, 1))
    t.after(() => log.close())
    const [held, gate, inbox] = [deferred<LogBatch>(), deferred(), new Inbox()]
    await log.consume(
      { topics: [topic], group: randomUUID(), startAt: async () => 0 },
      async (batch) => {
        if (batch.partition === 0) held.resolve(batch)
        if (batch.partition === 0) await gate.promise
        if (batch.isCurrent()) await inbox.take(batch)
      },
    )
    await log.append(topic, numbered(40))
    const batch = await held.promise
    assert.equal(batch.isCurrent(), true)
    await eventually(() => !batch.isCurrent())
    gate.resolve()
    await inbox.until(() => inbox.count === 40)
    assert.equal(new Set(inbox.all().map(text)).size, 40)
  })

  it('is replaced when it is never told of an assignment', async (t) => {
    const log = await open(newPrefix(), isNeverAssigned)
    t.after(() => log.close())
    await log.append(topic, numbered(10))
    const inbox = new Inbox()
    await log.consume({ topics: [topic], group: randomUUID(), startAt: async () => 0 }, inbox.take)
    await inbox.until(() => inbox.count === 10)
    assert.deepEqual(replacements(log), { ended: 0, unassigned: 1, stalled: 0 })
  })
})
