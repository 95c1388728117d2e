/** How the log hands records out: `consume` and `follow`. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { AppError } from '../errors.ts'
import { deferred, eventually, Inbox, type LogFixture, numbered, text } from './log.fixture.ts'
import type { LogBatch } from './log.ts'

export function deliverySuite(on: LogFixture): void {
  describe('consume', () => {
    it('delivers every record once, in order, in batches that join', async () => {
      await on.create(3)
      await on.log.append(on.topic, numbered(100))
      const inbox = new Inbox()
      const consumer = await on.consume(inbox.take, { maxBatchRecords: 7 })
      await inbox.until(() => inbox.count >= 100)
      await on.log.append(on.topic, numbered(50, 100))
      await inbox.until(() => inbox.count >= 150)
      await consumer.stop()
      assert.equal(new Set(inbox.all().map(text)).size, 150)
      for (const batches of [0, 1, 2].map((partition) => inbox.of(partition))) {
        assert.equal(batches[0]?.from, 0)
        batches.forEach((batch, i) => {
          if (i > 0) assert.equal(batch.from, batches[i - 1]?.next)
          assert.ok(batch.records.length <= 7)
          assert.ok(batch.records.every((r) => r.offset >= batch.from && r.offset < batch.next))
        })
      }
    })

    it('starts where the consumer says, by partition', async () => {
      await on.create(2)
      await on.log.append(on.topic, numbered(60))
      const [, end = 0] = await on.log.endOffsets(on.topic)
      const inbox = new Inbox()
      await on.consume(inbox.take, { startAt: async (_, partition) => (partition === 0 ? 5 : end) })
      await inbox.until(() => inbox.count > 0)
      assert.equal(inbox.of(0)[0]?.from, 5)
      await on.log.append(on.topic, numbered(60))
      await inbox.until(() => inbox.records(1).length > 0)
      assert.equal(inbox.records(1)[0]?.offset, end)
    })

    it('waits at an offset beyond the end', async () => {
      await on.create(1)
      await on.log.append(on.topic, numbered(3))
      const inbox = new Inbox()
      await on.consume(inbox.take, { startAt: async () => 5 })
      await on.log.append(on.topic, numbered(4, 3))
      await inbox.until(() => inbox.count >= 2)
      assert.deepEqual(inbox.all().map(text), ['v5', 'v6'])
    })

    it('cuts batches by bytes, with one record at least', async () => {
      await on.create(1)
      await on.log.append(
        on.topic,
        Array.from({ length: 6 }, () => ({ key: null, value: 'x'.repeat(1_000) })),
      )
      const inbox = new Inbox()
      await on.consume(inbox.take, { maxBatchBytes: 500 })
      await inbox.until(() => inbox.count >= 6)
      assert.ok(inbox.batches.every((batch) => batch.records.length <= 1))
    })

    it('hands out one batch of a partition at a time, and partitions do not wait for each other', async () => {
      await on.create(2)
      await on.log.append(on.topic, numbered(40))
      const inbox = new Inbox()
      const gate = deferred()
      let held = 0
      await on.consume(
        async (batch) => {
          if (batch.partition === 0 && batch.records.length > 0) {
            held += 1
            await gate.promise
          }
          await inbox.take(batch)
        },
        { maxBatchRecords: 2 },
      )
      const [, ends = 0] = await on.log.endOffsets(on.topic)
      await inbox.until(() => inbox.records(1).length >= ends)
      assert.deepEqual([held, inbox.records(0).length], [1, 0])
      gate.resolve()
      await inbox.until(() => inbox.count >= 40)
    })

    it('repeats a batch that failed, from the same offset', async () => {
      await on.create(1)
      await on.log.append(on.topic, numbered(5))
      const inbox = new Inbox()
      const seen: number[] = []
      await on.consume(async (batch) => {
        if (batch.records.length > 0) seen.push(batch.from)
        if (seen.length < 3) throw new Error('not now')
        await inbox.take(batch)
      })
      await inbox.until(() => inbox.count >= 5)
      assert.deepEqual(seen.slice(0, 3), [0, 0, 0])
      assert.deepEqual(inbox.all().map(text), ['v0', 'v1', 'v2', 'v3', 'v4'])
    })

    it('stops a partition that must not be repeated, and only that one', async () => {
      await on.create(2)
      const inbox = new Inbox()
      const stopped = deferred<{ partition: number; error: unknown }>()
      const fatal = new AppError('LOG_REPLACED', 'the log is another one')
      await on.consume(
        async (batch) => {
          if (batch.partition === 0 && batch.records.length > 0) throw fatal
          await inbox.take(batch)
        },
        { onStopped: (_, partition, error) => stopped.resolve({ partition, error }) },
      )
      await on.log.append(on.topic, numbered(30))
      assert.deepEqual(await stopped.promise, { partition: 0, error: fatal })
      await on.log.append(on.topic, numbered(30, 30))
      const [, end = 0] = await on.log.endOffsets(on.topic)
      await inbox.until(() => inbox.records(1).length >= end)
      assert.deepEqual(inbox.records(0), [])
    })

    it('pauses after the batch in hand and resumes where it was', async () => {
      await on.create(2)
      const inbox = new Inbox()
      const consumer = await on.consume(async (batch) => {
        if (batch.partition === 0 && batch.records.length > 0) consumer.pause(on.topic, 0)
        await inbox.take(batch)
      })
      await on.log.append(on.topic, numbered(40))
      await inbox.until(() => inbox.records(0).length > 0)
      const before = inbox.records(0).length
      await on.log.append(on.topic, numbered(40, 40))
      const [first = 0, second = 0] = await on.log.endOffsets(on.topic)
      await inbox.until(() => inbox.records(1).length >= second)
      assert.equal(inbox.records(0).length, before)
      while (inbox.records(0).length < first) {
        const known = inbox.records(0).length
        consumer.resume(on.topic, 0)
        await inbox.until(() => inbox.records(0).length > known)
      }
      assert.deepEqual(
        inbox.records(0).map((r) => r.offset),
        Array.from({ length: first }, (_, i) => i),
      )
    })

    it('stops after the batch in hand, which stays current until then', async () => {
      await on.create(1)
      await on.log.append(on.topic, numbered(4))
      const [started, gate] = [deferred<LogBatch>(), deferred()]
      let batches = 0
      const consumer = await on.consume(
        async (batch) => {
          if (batch.records.length === 0) return
          batches += 1
          started.resolve(batch)
          await gate.promise
          assert.ok(batch.isCurrent())
        },
        { maxBatchRecords: 1 },
      )
      const batch = await started.promise
      let stopped = false
      const stopping = consumer.stop().then(() => {
        stopped = true
      })
      await on.log.append(on.topic, numbered(1))
      assert.deepEqual([stopped, batch.isCurrent()], [false, true])
      gate.resolve()
      await stopping
      await consumer.stop()
      await on.log.append(on.topic, numbered(1))
      assert.deepEqual([batches, batch.isCurrent()], [1, false])
    })

    it('tells how far it has come in each partition, and where that ended', async () => {
      await on.create(2)
      const inbox = new Inbox()
      const consumer = await on.consume(inbox.take)
      await on.log.append(on.topic, numbered(20))
      await inbox.until(() => inbox.count >= 20)
      const ends = await on.log.endOffsets(on.topic)
      const expected = ends.map((end, partition) => ({ partition, next: end, end }))
      const told = (): unknown =>
        consumer
          .progress()
          .map(({ partition, next, end }) => ({ partition, next, end }))
          .toSorted((a, b) => a.partition - b.partition)
      await eventually(() => isDeepStrictEqual(told(), expected))
      await consumer.stop()
      assert.deepEqual(consumer.progress(), [])
    })

    it('asks the next consumer of the group where to start', async () => {
      await on.create(1)
      await on.log.append(on.topic, numbered(10))
      const inbox = new Inbox()
      const first = await on.consume(inbox.take)
      await inbox.until(() => inbox.count >= 10)
      await first.commit(on.topic, 0, 6)
      await first.stop()
      const second = new Inbox()
      await on.consume(second.take, {
        startAt: async () => (await on.log.committed(on.group, on.topic))[0] ?? -1,
      })
      await second.until(() => second.count >= 4)
      assert.deepEqual(second.all().map(text), ['v6', 'v7', 'v8', 'v9'])
    })
  })

  describe('follow', () => {
    it('shows each follower every record from where it asked, and what comes later', async () => {
      await on.create(2)
      await on.log.append(on.topic, numbered(30))
      const ends = await on.log.endOffsets(on.topic)
      const [whole, rest] = [new Inbox(), new Inbox()]
      const followers = [
        await on.log.follow(on.topic, [0, 0], whole.take),
        await on.log.follow(on.topic, ends, rest.take),
      ]
      await on.log.append(on.topic, numbered(30, 30))
      await whole.until(() => whole.count >= 60)
      await rest.until(() => rest.count >= 30)
      for (const follower of followers) await follower.stop()
      await followers[0]?.stop()
      assert.equal(new Set(whole.all().map(text)).size, 60)
      assert.ok(rest.all().every((r) => Number(text(r).slice(1)) >= 30))
    })
  })
}
