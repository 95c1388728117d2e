import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { KafkaTopicSource } from '../../infra/config-sources.ts'
import { AppError } from '../../infra/errors.ts'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { Log } from '../../infra/log/log.ts'
import { silentLogger } from '../../infra/logger.ts'
import { VirtualTime } from '../virtual-time.fixture.ts'
import { createKafkaTopic } from './kafka-topic.ts'
import { Run } from './web.fixture.ts'

const topic = 'vendor.stories'
let folder: string
let foreign: Log
let time: VirtualTime
let opened: (readonly string[])[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tickertone-foreign-'))
  time = new VirtualTime(Date.parse('2024-03-05T10:00:00Z'))
  foreign = createEmbeddedLog({ path: folder, clock: time.clock, logger: silentLogger })
  await foreign.ensureTopics([{ name: topic, partitions: 2 }])
  opened = []
})
afterEach(async () => {
  await foreign.close()
  rmSync(folder, { recursive: true })
})

const source = (more: Partial<KafkaTopicSource> = {}) =>
  createKafkaTopic(
    {
      type: 'kafka-topic',
      name: 'vendor',
      owner: 'desk',
      kind: 'news',
      undated: 'history',
      datesWithoutZone: 'unknown',
      freshMinutes: 10,
      brokers: ['kafka.vendor.example:9092'],
      topic,
      group: 'tickertone',
      from: 'beginning',
      mapping: {
        id: '/uuid',
        text: '/doc/body',
        publishedAt: { at: '/ts', format: 'unixMilliseconds' },
      },
      ...more,
    },
    {
      clock: time.clock,
      openLog: async (brokers) => {
        opened.push(brokers)
        return { ...bound(foreign), close: async () => undefined }
      },
    },
  )

/** The embedded log stays open for the next run. */
const bound = (log: Log): Log => ({
  ensureTopics: (...args) => log.ensureTopics(...args),
  partitions: (...args) => log.partitions(...args),
  append: (...args) => log.append(...args),
  consume: (...args) => log.consume(...args),
  follow: (...args) => log.follow(...args),
  beginningOffsets: (...args) => log.beginningOffsets(...args),
  endOffsets: (...args) => log.endOffsets(...args),
  offsetsAt: (...args) => log.offsetsAt(...args),
  committed: (...args) => log.committed(...args),
  close: () => log.close(),
})

const story = (uuid: string, ts = time.now) => ({
  key: uuid,
  value: JSON.stringify({ uuid, doc: { body: `Story ${uuid}` }, ts }),
})

class Reading extends Run {
  /** Resolves when `count` records are durable and committed, and the source has stopped. */
  async until(count: number, running: Promise<void>): Promise<void> {
    while (this.count() < count) await this.next()
    this.stopping.abort()
    await running
  }

  count(): number {
    return this.readings.reduce((sum, { fresh, refused }) => sum + fresh + refused, 0)
  }

  #wake: () => void = () => {}

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  override readonly onReading = (counts: (typeof this.readings)[number]) => {
    this.readings.push(counts)
    this.#wake()
  }
}

describe('createKafkaTopic', () => {
  it('brings mapped records, buries the others with their place, and goes on where it ended', async () => {
    await foreign.append(topic, [
      story('a'),
      { key: 'a', value: '{"uuid":' },
      { key: 'a', value: '' },
      story('b'),
    ])
    const run = new Reading(time)
    await run.until(4, source().run(run))
    assert.deepEqual(opened, [['kafka.vendor.example:9092']])
    assert.deepEqual(
      run
        .posts()
        .map(({ id, text }) => [id, text])
        .toSorted(),
      [
        ['vendor:a', 'Story a'],
        ['vendor:b', 'Story b'],
      ],
    )
    const letters = run.letters()
    assert.equal(letters.length, 2)
    for (const { origin } of letters)
      assert.match(origin, /^source:vendor\/vendor\.stories\/[01]\/\d$/)
    await foreign.append(topic, [story('c')])
    const later = new Reading(time)
    await later.until(1, source().run(later))
    assert.deepEqual(
      later.posts().map(({ id }) => id),
      ['vendor:c'],
    )
  })

  it('commits only what is durable here: a crash in between repeats it under its id', async () => {
    await foreign.append(topic, [story('a')])
    const failing = new Reading(time)
    const failed = new Promise<void>((resolve) => {
      failing.log.before = () => {
        resolve()
        throw new AppError('LOG_FULL', 'full', { retryable: true })
      }
    })
    const running = source().run(failing)
    await failed
    failing.stopping.abort()
    await running
    assert.deepEqual(failing.posts(), [])
    const run = new Reading(time)
    await run.until(1, source().run(run))
    assert.deepEqual(
      run.posts().map(({ id }) => id),
      ['vendor:a'],
    )
  })

  it('takes records that waited in the topic for history, unless they are fresh', async () => {
    await foreign.append(topic, [story('old')])
    time.now += 3_600_000
    await foreign.append(topic, [story('new'), story('late', time.now - 3_000_000)])
    const run = new Reading(time)
    await run.until(3, source().run(run))
    const history = Object.fromEntries(run.posts().map((post) => [post.id, post.history]))
    assert.deepEqual(history, {
      'vendor:old': true,
      'vendor:new': undefined,
      'vendor:late': undefined,
    })
  })

  it('begins at the end where it is told to', async () => {
    await foreign.append(topic, [story('before')])
    const run = new Reading(time)
    const running = source({ from: 'end' }).run(run)
    await run.next()
    await foreign.append(topic, [story('after')])
    await run.until(1, running)
    assert.deepEqual(
      run.posts().map(({ id }) => id),
      ['vendor:after'],
    )
  })

  it('fails when its brokers cannot be reached', async () => {
    const config = source()
    foreign.committed = async () => {
      throw new AppError('LOG', 'no broker', { retryable: false })
    }
    const run = new Reading(time)
    await assert.rejects(config.run(run), { code: 'LOG' })
  })

  it('shows the last records without joining the group', async () => {
    await foreign.append(
      topic,
      Array.from({ length: 20 }, (_, i) => story(`s${i}`)),
    )
    const run = new Reading(time)
    await source().preview(run, 3)
    assert.equal(run.posts().length, 6)
    assert.deepEqual(await foreign.committed('tickertone', topic), [-1, -1])
  })
})
