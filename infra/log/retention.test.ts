import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { openTestLog, type TestClock, temporaryFolder } from './embedded-log.fixture.ts'
import type { EmbeddedLog } from './embedded-log.ts'
import { Inbox } from './log.fixture.ts'
import type { Consumer, LogBatch } from './log.ts'

const clock: TestClock = { now: 1_000_000 }
let log: EmbeddedLog
let names = 0

before(() => {
  log = openTestLog(temporaryFolder(), clock)
})
after(() => log.close())

/** 12 bytes of header and 88 of value. */
const recordBytes = 100
const records = (count: number) =>
  Array.from({ length: count }, () => ({ key: null, value: 'x'.repeat(88) }))

const extent = ({ from, next, records }: LogBatch) => ({ from, next, count: records.length })

interface Limits {
  readonly retentionMs?: number
  readonly retentionBytes?: number
}

async function newTopic(limits: Limits, partitions = 1): Promise<string> {
  const name = `topic-${names++}`
  await log.ensureTopics([{ name, partitions, ...limits }])
  return name
}

/** A consumer of a group of its own that has been given its partitions, and commits nothing by itself. */
async function consumer(topic: string, from = 0): Promise<Consumer> {
  const inbox = new Inbox()
  const [end = 0] = await log.endOffsets(topic)
  const started = await log.consume(
    { topics: [topic], group: `group-${names++}`, startAt: async () => from },
    inbox.take,
  )
  if (from < end) await inbox.until(() => inbox.count > 0)
  return started
}

describe('retention by age', () => {
  it('removes what is older than the limit, and not what is as old', async () => {
    const topic = await newTopic({ retentionMs: 1_000 })
    for (let i = 0; i < 3; i++) {
      await log.append(topic, records(2))
      clock.now += 500
    }
    await log.enforceRetention()
    assert.deepEqual(await log.beginningOffsets(topic), [2])
    assert.deepEqual(await log.endOffsets(topic), [6])
  })

  it('keeps what a group has not consumed, until it commits', async () => {
    const topic = await newTopic({ retentionMs: 1_000 })
    await log.append(topic, records(10))
    const reader = await consumer(topic, 4)
    clock.now += 5_000
    await log.enforceRetention()
    assert.deepEqual(await log.beginningOffsets(topic), [4])
    await reader.commit(topic, 0, 9)
    await log.enforceRetention()
    assert.deepEqual(await log.beginningOffsets(topic), [9])
    await reader.stop()
    assert.equal(await log.enforceRetention(), 0)
  })

  it('keeps what a group reads again, below what it committed', async () => {
    const topic = await newTopic({ retentionMs: 1_000 })
    await log.append(topic, records(10))
    const inbox = new Inbox()
    const options = { topics: [topic], group: 'again', startAt: async () => 0 }
    const first = await log.consume(options, inbox.take)
    await first.commit(topic, 0, 10)
    await first.stop()
    const again = new Inbox()
    const second = await log.consume(options, again.take)
    await again.until(() => again.count === 10)
    clock.now += 5_000
    await log.enforceRetention()
    assert.deepEqual(await log.beginningOffsets(topic), [0])
    await second.stop()
  })

  it('removes all that is left, and the next record goes on counting', async () => {
    const topic = await newTopic({ retentionMs: 1_000 })
    await log.append(topic, records(5))
    clock.now += 5_000
    await log.enforceRetention()
    assert.deepEqual(await log.beginningOffsets(topic), [5])
    const [position] = await log.append(topic, records(1))
    assert.equal(position?.offset, 5)
  })

  it('tells readers of the hole by the batch that spans it', async () => {
    const topic = await newTopic({ retentionMs: 1_000 })
    await log.append(topic, records(5))
    clock.now += 5_000
    await log.enforceRetention()

    const early = new Inbox()
    const first = await log.follow(topic, [2], early.take)
    await early.until(() => early.batches.length === 1)
    await log.append(topic, records(1))
    await early.until(() => early.batches.length === 2)
    await first.stop()
    assert.deepEqual(early.batches.map(extent), [
      { from: 2, next: 5, count: 0 },
      { from: 5, next: 6, count: 1 },
    ])

    const late = new Inbox()
    const second = await log.follow(topic, [2], late.take)
    await late.until(() => late.batches.length === 1)
    await second.stop()
    assert.deepEqual(late.batches.map(extent), [{ from: 2, next: 6, count: 1 }])
  })
})

describe('retention by bytes', () => {
  it('makes room at append, oldest first', async () => {
    const topic = await newTopic({ retentionBytes: 10 * recordBytes })
    await log.append(topic, records(10))
    await log.append(topic, records(3))
    assert.deepEqual(await log.beginningOffsets(topic), [3])
  })

  it('refuses with LOG_FULL, and stores nothing, when a group needs all there is', async () => {
    const topic = await newTopic({ retentionBytes: 10 * recordBytes })
    await log.append(topic, records(10))
    const reader = await consumer(topic)
    await assert.rejects(log.append(topic, records(1)), { code: 'LOG_FULL', retryable: true })
    assert.deepEqual(await log.endOffsets(topic), [10])
    await reader.commit(topic, 0, 2)
    await assert.rejects(log.append(topic, records(3)), { code: 'LOG_FULL' })
    await log.append(topic, records(2))
    assert.deepEqual(await log.beginningOffsets(topic), [2])
    await reader.stop()
  })

  it('says at once of what can never fit', async () => {
    const topic = await newTopic({ retentionBytes: 10 * recordBytes })
    await assert.rejects(log.append(topic, records(11)), { code: 'LOG', retryable: false })
  })

  it('refuses one call and takes another of the same transaction', async () => {
    const topic = await newTopic({ retentionBytes: 10 * recordBytes })
    await log.append(topic, records(8))
    const reader = await consumer(topic)
    const answers = await Promise.allSettled([
      log.append(topic, records(1)),
      log.append(topic, records(5)),
      log.append(topic, records(1)),
    ])
    assert.deepEqual(
      answers.map((answer) => answer.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await log.endOffsets(topic), [10])
    await reader.stop()
  })

  it('gives the room of removed records to new ones', async () => {
    const folder = temporaryFolder()
    const own = openTestLog(folder)
    const retentionBytes = 1_000 * recordBytes
    await own.ensureTopics([{ name: 'posts', partitions: 1, retentionBytes }])
    for (let i = 0; i < 100; i++) await own.append('posts', records(300))
    assert.ok(statSync(join(folder, 'data.mdb')).size < 10 * retentionBytes)
    await own.close()
  })

  it('counts afresh after a restart', async () => {
    const folder = temporaryFolder()
    let own = openTestLog(folder)
    await own.ensureTopics([{ name: 'posts', partitions: 1, retentionBytes: 10 * recordBytes }])
    await own.append('posts', records(9))
    await own.close()
    own = openTestLog(folder)
    await own.append('posts', records(3))
    assert.deepEqual(await own.beginningOffsets('posts'), [2])
    await own.close()
  })
})

describe('retention, whatever happens', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 800 }) }),
    fc.record({
      kind: fc.constant('commit' as const),
      partition: fc.integer({ min: 0, max: 1 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ kind: fc.constant('enforce' as const) }),
  )

  it('never removes what a group needs, never goes over the limit, and removes all it may', async () => {
    const limits = { retentionMs: 1_000, retentionBytes: 12 * recordBytes }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const topic = await newTopic(limits, 2)
        const reader = await consumer(topic)
        const stamps: number[][] = [[], []]
        const needs = [0, 0]
        for (const now of steps) {
          if (now.kind === 'pass') clock.now += now.ms
          if (now.kind === 'commit') {
            const end = stamps[now.partition]?.length ?? 0
            const next = Math.max(needs[now.partition] ?? 0, Math.floor(now.share * end))
            needs[now.partition] = next
            await reader.commit(topic, now.partition, next)
          }
          if (now.kind === 'append') {
            const full = stamps.flatMap((s, p) => s.slice(needs[p])).length + now.count > 12
            const appended = log.append(topic, records(now.count))
            if (full) await assert.rejects(appended, { code: 'LOG_FULL' })
            else for (const { partition } of await appended) stamps[partition]?.push(clock.now)
          }
          if (now.kind === 'enforce') await log.enforceRetention()
          const begins = await log.beginningOffsets(topic)
          const held = stamps.reduce((sum, s, p) => sum + s.length - (begins[p] ?? 0), 0)
          assert.ok(held <= 12)
          begins.forEach((begin, p) => {
            assert.ok(begin <= (needs[p] ?? 0))
            const oldest = stamps[p]?.[begin]
            if (now.kind === 'enforce' && oldest !== undefined && begin < (needs[p] ?? 0))
              assert.ok(oldest >= clock.now - limits.retentionMs)
          })
        }
        await reader.stop()
      }),
      { numRuns: 40 },
    )
  })
})
