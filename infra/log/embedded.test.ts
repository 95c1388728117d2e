import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../errors.ts'
import { maxRecordBytes } from './append.ts'
import { openTestLog, type TestClock, temporaryFolder } from './embedded-log.fixture.ts'
import type { EmbeddedLog } from './embedded-log.ts'
import { Inbox, numbered, text } from './log.fixture.ts'
import { logSuite } from './log.suite.ts'

const suiteFolder = temporaryFolder()
logSuite({
  name: 'embedded',
  open: async () => openTestLog(suiteFolder, { now: Date.now() }),
})

describe('the embedded log', () => {
  const clock: TestClock = { now: 1_000 }
  const folder = temporaryFolder()
  let log: EmbeddedLog
  let topics = 0

  before(() => {
    log = openTestLog(folder, clock)
  })
  after(() => log.close())

  async function newTopic(partitions: number): Promise<string> {
    const name = `topic-${topics++}`
    await log.ensureTopics([{ name, partitions }])
    return name
  }

  it('stamps records with the running maximum of a clock that jumps', async () => {
    const topic = await newTopic(1)
    const inbox = new Inbox()
    for (const now of [5_000, 3_000, 6_000, 1_000]) {
      clock.now = now
      await log.append(topic, numbered(1))
    }
    const follower = await log.follow(topic, [0], inbox.take)
    await inbox.until(() => inbox.count === 4)
    await follower.stop()
    assert.deepEqual(
      inbox.all().map((record) => record.timestamp),
      [5_000, 5_000, 6_000, 6_000],
    )
  })

  it('leaves no holes, whoever appends at the same time', async () => {
    const topic = await newTopic(3)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => log.append(topic, numbered(5, i * 5))),
    )
    const ends = await log.endOffsets(topic)
    const offsets = ends.map((_, partition) =>
      answers
        .flat()
        .filter((position) => position.partition === partition)
        .map((position) => position.offset)
        .toSorted((a, b) => a - b),
    )
    assert.deepEqual(
      offsets,
      ends.map((end) => Array.from({ length: end }, (_, i) => i)),
    )
  })

  it('finds the offset of a time like a scan does', async () => {
    const gaps = fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(gaps, fc.integer({ min: -60, max: 1_500 }), async (steps, time) => {
        const topic = await newTopic(1)
        clock.now = 100
        const stamps: number[] = []
        for (const step of steps) {
          clock.now += step
          stamps.push(Math.max(clock.now, stamps.at(-1) ?? 0))
          await log.append(topic, numbered(1))
        }
        const found = stamps.findIndex((stamp) => stamp >= time)
        assert.deepEqual(await log.offsetsAt(topic, time), [found < 0 ? stamps.length : found])
      }),
      { numRuns: 30 },
    )
  })

  it('refuses a commit beyond the end', async () => {
    const topic = await newTopic(1)
    await log.append(topic, numbered(3))
    const consumer = await log.consume(
      { topics: [topic], group: 'beyond', startAt: async () => 0 },
      async () => {},
    )
    for (const next of [4, -1, 1.5, Number.NaN])
      await assert.rejects(consumer.commit(topic, 0, next), { code: 'LOG' })
    await consumer.commit(topic, 0, 3)
    await consumer.stop()
    assert.deepEqual(await log.committed('beyond', topic), [3])
  })

  it('gives a topic to one consumer of a group at a time, and ignores the former one', async () => {
    const topic = await newTopic(1)
    await log.append(topic, numbered(3))
    const options = { topics: [topic], group: 'one', startAt: async () => 0 }
    const first = await log.consume(options, async () => {})
    await assert.rejects(
      log.consume(options, async () => {}),
      { code: 'LOG' },
    )
    await first.stop()
    const second = await log.consume(options, async () => {})
    await assert.rejects(first.commit(topic, 0, 1), { code: 'LOG' })
    await second.stop()
  })

  it('stops a partition whose start is no offset', async () => {
    const topic = await newTopic(1)
    const error = await new Promise((resolve) => {
      void log.consume(
        {
          topics: [topic],
          group: 'nowhere',
          startAt: async () => Number.NaN,
          onStopped: (_topic, _partition, cause) => resolve(cause),
        },
        async () => {},
      )
    })
    assert.ok(error instanceof AppError && error.code === 'LOG')
  })

  it('refuses a record that is too long, and stores none of its call', async () => {
    const topic = await newTopic(1)
    const records = [...numbered(2), { key: null, value: Buffer.alloc(maxRecordBytes) }]
    await assert.rejects(log.append(topic, records), { code: 'LOG' })
    assert.deepEqual(await log.endOffsets(topic), [0])
  })

  it('hands over what is appended without waiting for a poll', async () => {
    const topic = await newTopic(1)
    const inbox = new Inbox()
    const follower = await log.follow(topic, [0], inbox.take)
    const started = performance.now()
    const rounds = 50
    for (let i = 1; i <= rounds; i++) {
      await log.append(topic, numbered(1))
      await inbox.until(() => inbox.count === i)
    }
    await follower.stop()
    assert.ok((performance.now() - started) / rounds < 50)
  })

  it('keeps its identity, its topics and its offsets over a restart', async () => {
    const topic = await newTopic(2)
    await log.append(topic, numbered(10))
    const before = { id: log.logId, ends: await log.endOffsets(topic) }
    await log.close()
    await assert.rejects(log.append(topic, numbered(1)), { code: 'LOG' })
    log = openTestLog(folder, clock)
    assert.deepEqual({ id: log.logId, ends: await log.endOffsets(topic) }, before)
  })

  it('waits for batches in hand when it closes, and closes once', async () => {
    const path = temporaryFolder()
    const other = openTestLog(path)
    await other.ensureTopics([{ name: 'posts', partitions: 1 }])
    await other.append('posts', numbered(1))
    let finished = false
    await new Promise<void>((started) => {
      void other.follow('posts', [0], async (batch) => {
        started()
        await new Promise((resolve) => setImmediate(resolve))
        finished = batch.records.map(text).join() === 'v0'
      })
    })
    await Promise.all([other.close(), other.close()])
    assert.ok(finished)
  })
})

describe('a folder the embedded log cannot use', () => {
  const cases = [
    {
      name: 'a file stands in its place',
      prepare(folder: string) {
        writeFileSync(join(folder, 'log'), '')
        return join(folder, 'log')
      },
    },
    {
      name: 'a file stands above it',
      prepare(folder: string) {
        writeFileSync(join(folder, 'file'), '')
        return join(folder, 'file', 'log')
      },
    },
    {
      name: 'it holds something else under the name of the data file',
      prepare(folder: string) {
        mkdirSync(join(folder, 'log'))
        writeFileSync(join(folder, 'log', 'data.mdb'), 'not ours'.repeat(4_096))
        return join(folder, 'log')
      },
    },
    {
      name: 'its data file was cut short',
      async prepare(folder: string) {
        await openTestLog(join(folder, 'log')).close()
        truncateSync(join(folder, 'log', 'data.mdb'), 4_096)
        return join(folder, 'log')
      },
    },
  ]
  for (const { name, prepare } of cases)
    it(`is named in the error: ${name}`, async () => {
      const path = await prepare(temporaryFolder())
      const before = dataFile(path)
      assert.throws(
        () => openTestLog(path),
        (error: Error & { code?: string }) =>
          error.code === 'DATA_FOLDER' && error.message.includes(path),
      )
      assert.deepEqual(dataFile(path), before)
    })
})

function dataFile(folder: string): Buffer | undefined {
  const file = join(folder, 'data.mdb')
  return existsSync(file) ? readFileSync(file) : undefined
}
