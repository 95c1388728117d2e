/** What other producers, operators and the broker itself do to the topic `posts`: a pipeline on a real broker. */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { Kafka, logLevel, type Message } from 'kafkajs'
import pino from 'pino'
import { brokerMissing, sharedBroker } from '../../infra/log/broker.fixture.ts'
import {
  newPrefix,
  openTestKafkaLog,
  plainConnection,
} from '../../infra/log/kafka/kafka-log.fixture.ts'
import { topics } from '../../infra/log/log.ts'
import { temporaryFolder } from '../../infra/store/analyses.fixture.ts'
import { checkContinuity } from '../../infra/store/continuity.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import { logTopicOf } from '../../infra/store/epochs.ts'
import type { Store } from '../../infra/store/store.ts'
import { pipelineOn, postRecord } from '../../pipeline/pipeline.fixture.ts'
import type { PipelineDeps } from '../../pipeline/pipeline.ts'

const skip = brokerMissing()
const broker = skip === false ? await sharedBroker() : ''

/** A row of ordinal 0, as 'partition/offset outcome', a gap with its range and its reason. */
const told = `concat(toString(partition), '/', if(gap_from = offset, '', concat(toString(gap_from), '-')), toString(offset), ' ', outcome, if(reason = '', '', concat(': ', reason)))`

describe('a pipeline on a topic that others write to', { skip }, () => {
  const folder = temporaryFolder()
  const client = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
  const admin = client.admin()
  const closings: (() => Promise<void>)[] = []
  let store: Store
  let epochs = 0

  before(async () => {
    store = await openEmbeddedStore({ path: folder.path })
    await admin.connect()
  })
  after(async () => {
    for (const close of closings) await close()
    await admin.disconnect()
    await store.close()
    folder.remove()
  })

  /** A log of its own for each test, under an epoch of its own. */
  async function newLog(partitions = 1) {
    const topicPrefix = newPrefix()
    const logTopic = logTopicOf(topics.posts, epochs++)
    const topic = `${topicPrefix}${topics.posts}`
    const open = () => openTestKafkaLog({ connection: plainConnection(broker), topicPrefix })
    const log = await open()
    closings.push(() => log.close())
    await log.ensureTopics([
      { name: topics.posts, partitions },
      { name: topics.dead, partitions: 1 },
    ])

    async function send(messages: Message[]): Promise<void> {
      // One that has met a topic which is gone by now would ask for it for ever.
      const producer = client.producer({ allowAutoTopicCreation: false })
      await producer.connect()
      await producer.send({ topic, messages })
      await producer.disconnect()
    }

    /** Removes all records below the offset. */
    async function removeBelow(offset: number): Promise<void> {
      await admin.fetchTopicOffsets(topic) // or the client does not know the topic
      await admin.deleteTopicRecords({
        topic,
        partitions: [{ partition: 0, offset: String(offset) }],
      })
    }

    async function createAnew(): Promise<void> {
      await admin.deleteTopics({ topics: [topic] })
      while ((await admin.listTopics()).includes(topic));
      const operator = await open()
      await operator.ensureTopics([{ name: topics.posts, partitions }])
      await operator.close()
    }

    /** Runs a pipeline until it has stored all that the log holds. */
    async function run(deps: Partial<PipelineDeps> = {}): Promise<string[]> {
      const pipeline = pipelineOn({ log, store, logTopic, ...deps })
      await pipeline.start()
      const ends = await log.endOffsets(topics.posts)
      for (const [partition, end] of ends.entries())
        while ((await store.mark({ logTopic, partition })) < end - 1);
      await pipeline.stop()
      assert.deepEqual(await checkContinuity(store, logTopic), [])
      return rows()
    }

    async function rows(): Promise<string[]> {
      const found = await store.query<{ told: string }>(
        `SELECT ${told} AS told FROM analyses WHERE log_topic = {logTopic:String} AND ordinal = 0 ORDER BY partition, offset`,
        { logTopic },
      )
      return found.map((row) => row.told)
    }
    return { log, logTopic, topic, send, removeBelow, createAnew, run, rows }
  }

  it('leaves gaps for what transactions hide, up to the end of the log', async () => {
    const { log, logTopic, topic, send, run } = await newLog()
    const transactional = client.producer({
      transactionalId: topic,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    })
    await transactional.connect()
    const inTransaction = async (ids: string[], end: 'commit' | 'abort') => {
      const transaction = await transactional.transaction()
      await transaction.send({ topic, messages: ids.map((id) => postRecord(id)) })
      await transaction[end]()
    }
    await inTransaction(['aborted first'], 'abort')
    await send([postRecord('plain')])
    await inTransaction(['a', 'b'], 'commit')
    await inTransaction(['aborted', 'too'], 'abort')
    await transactional.disconnect()
    // Markers stand where the broker put them; each is an offset without a record.
    const scored = (all: string[]) => all.filter((row) => row.endsWith(' scored')).length
    const found = await run()
    assert.equal(scored(found), 3)
    assert.match(found.at(-1) ?? '', /-8 gap$/)
    await send([postRecord('c')])
    assert.equal((await run()).at(-1), '0/9 scored')
    const [end = 0] = await log.endOffsets(topics.posts)
    assert.equal(await store.mark({ logTopic, partition: 0 }), end - 1)
  })

  it('leaves a gap for what retention removed unread, and says so', async () => {
    const { logTopic, send, removeBelow, run } = await newLog()
    const posts = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => postRecord(`${from + n}`))
    await send(posts(0, 3))
    await run()
    await send(posts(3, 5))
    await removeBelow(6)
    const warnings: { msg: string; from?: number; to?: number }[] = []
    const logger = pino({ level: 'warn' }, { write: (line) => warnings.push(JSON.parse(line)) })
    const removed: number[] = []
    const metrics = {
      removed: (_: number, offsets: number) => removed.push(offsets),
      assigned: () => {},
      lost: () => {},
      report: () => {},
    }
    assert.deepEqual((await run({ logger, metrics })).slice(2), [
      '0/2 scored',
      '0/3-5 gap: removed from the log before it was read',
      '0/6 scored',
      '0/7 scored',
    ])
    assert.deepEqual(removed, [3])
    assert.deepEqual(
      warnings.map(({ from, to }) => [from, to]),
      [[3, 5]],
    )

    // All of it: nothing is left that could be read.
    await send(posts(8, 2))
    await removeBelow(10)
    assert.deepEqual((await run()).at(-1), '0/8-9 gap: removed from the log before it was read')
    assert.equal(await store.mark({ logTopic, partition: 0 }), 9)
  })

  const anew = [
    { name: 'shorter', posts: 1, why: /the log ends at 1, below the stored 3/ },
    { name: 'longer', posts: 9, why: /another record is at offset 3/ },
  ]
  for (const { name, posts, why } of anew)
    it(`refuses to start on a topic that was deleted and created anew, ${name}`, async () => {
      const { send, createAnew, run } = await newLog()
      await send(Array.from({ length: 4 }, (_, n) => postRecord(`old ${n}`)))
      await run()
      await createAnew()
      await send(Array.from({ length: posts }, (_, n) => postRecord(`new ${n}`)))
      await assert.rejects(run(), (error: { code?: string; message: string }) => {
        assert.equal(error.code, 'LOG_REPLACED')
        assert.match(error.message, why)
        assert.match(error.message, /`tickertone epoch start posts`/)
        return true
      })
    })

  it('ends when the topic is deleted and created anew under it', async () => {
    const { log, logTopic, send, createAnew } = await newLog()
    const events = new EventEmitter()
    const ended = once(events, 'fatal')
    const pipeline = pipelineOn({
      log,
      store,
      logTopic,
      onFatal: (error) => events.emit('fatal', error),
    })
    await pipeline.start()
    await send(Array.from({ length: 4 }, (_, n) => postRecord(`old ${n}`)))
    while ((await store.mark({ logTopic, partition: 0 })) < 3);
    await createAnew()
    await send([postRecord('new')])
    const [error] = await ended
    assert.equal(error.code, 'LOG_REPLACED')
    await pipeline.stop()
  })

  it('buries what is no post with its reason, and stores what is one whatever its key', async () => {
    const { send, run } = await newLog(2)
    const { value } = postRecord('keyless')
    const at = (partition: number, message: Omit<Message, 'partition'>): Message => ({
      partition,
      ...message,
    })
    await send([
      at(0, { key: null, value }),
      at(0, { key: 'tombstone', value: null }),
      at(0, { key: 'empty', value: '' }),
      at(0, { key: 'latin', value: Buffer.from(value.replace('falls', 'f\u00e4llt'), 'latin1') }),
      at(0, { key: Buffer.from([0xff, 0xfe]), value: postRecord('binary key').value }),
      at(0, { key: 'header', value: postRecord('headers').value, headers: { a: 'b' } }),
    ])
    await send([at(0, { key: 'large', value: JSON.stringify({ text: 'x'.repeat(1_100_000) }) })])
    await send([at(1, { key: null, value }), at(1, { key: null, value })])
    assert.deepEqual(await run(), [
      '0/0 scored',
      '0/1 dead: empty',
      '0/2 dead: empty',
      '0/3 dead: not valid UTF-8',
      '0/4 scored',
      '0/5 scored',
      '0/6 dead: larger than 1048576 bytes',
      '1/0 scored',
      '1/1 duplicate: repeats version 1',
    ])
  })
})
