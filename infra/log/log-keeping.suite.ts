/** What the log keeps: topics, records, offsets. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type LogFixture, numbered, text } from './log.fixture.ts'
import type { NewRecord, Position } from './log.ts'

export function keepingSuite(on: LogFixture): void {
  describe('topics', () => {
    it('are created once, with as many partitions as asked for', async () => {
      await on.create(3)
      await on.create(3)
      assert.equal(await on.log.partitions(on.topic), 3)
      assert.deepEqual(await on.log.endOffsets(on.topic), [0, 0, 0])
      assert.deepEqual(await on.log.beginningOffsets(on.topic), [0, 0, 0])
    })

    it('refuse another number of partitions', async () => {
      await on.create(3)
      await assert.rejects(on.create(4), { code: 'LOG' })
      assert.equal(await on.log.partitions(on.topic), 3)
    })

    it('refuse finite retention where state is folded from the whole topic', async () => {
      for (const name of ['feedback', 'control'])
        await assert.rejects(on.log.ensureTopics([{ name, partitions: 1, retentionMs: 1_000 }]), {
          code: 'LOG',
        })
    })

    it('must exist to be used', async () => {
      await assert.rejects(on.log.partitions(on.topic), { code: 'LOG' })
      await assert.rejects(on.log.append(on.topic, numbered(1)), { code: 'LOG' })
    })
  })

  describe('append', () => {
    it('answers positions in the order of the records, and records of a partition keep theirs', async () => {
      await on.create(3)
      const records = numbered(60)
      const positions = await on.log.append(on.topic, records)
      const stored = await on.readAll(60)
      positions.forEach((position, i) => {
        const record = stored[position.partition]?.find((r) => r.offset === position.offset)
        assert.equal(record && text(record), `v${i}`)
      })
      for (const partition of stored) {
        const numbers = partition.map((r) => Number(text(r).slice(1)))
        assert.deepEqual(
          numbers,
          numbers.toSorted((a, b) => a - b),
        )
      }
    })

    it('keeps the records of one key in one partition', async () => {
      await on.create(4)
      const keys = Array.from({ length: 40 }, (_, i) => `key-${i % 8}`)
      const positions: Position[] = []
      for (const key of keys)
        positions.push(...(await on.log.append(on.topic, [{ key, value: '' }])))
      const partitionOf = new Map(keys.map((key, i) => [key, positions[i]?.partition]))
      keys.forEach((key, i) => {
        assert.equal(positions[i]?.partition, partitionOf.get(key))
      })
    })

    it('spreads records without a key', async () => {
      await on.create(2)
      const records = Array.from({ length: 50 }, () => ({ key: null, value: 'x' }))
      const positions: Position[] = []
      for (const record of records) positions.push(...(await on.log.append(on.topic, [record])))
      assert.equal(new Set(positions.map((p) => p.partition)).size, 2)
    })

    it('stores nothing for no records', async () => {
      await on.create(1)
      assert.deepEqual(await on.log.append(on.topic, []), [])
      assert.deepEqual(await on.log.endOffsets(on.topic), [0])
    })

    it('returns keys and values byte for byte', async () => {
      await on.create(1)
      const records: NewRecord[] = [
        { key: null, value: Buffer.from([0, 255, 10, 0]) },
        { key: '', value: '' },
        { key: 'ключ \u0000 key', value: '\u202e<b>$TSLA 📉\u0000' },
        { key: 'long', value: 'é'.repeat(20_000) },
      ]
      await on.log.append(on.topic, records)
      const [stored = []] = await on.readAll(records.length)
      assert.deepEqual(
        stored.map((r) => ({ key: r.key, value: r.value })),
        records.map((r) => ({ key: r.key, value: Buffer.from(r.value as string) })),
      )
    })

    it('gives every record of many concurrent callers its own position', async () => {
      await on.create(2)
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) => on.log.append(on.topic, numbered(4, i * 4))),
      )
      const positions = answers.flat().map((p) => `${p.partition}/${p.offset}`)
      assert.equal(new Set(positions).size, 200)
      assert.equal((await on.readAll(200)).flat().length, 200)
    })

    it('stamps records with times that never go back within a partition', async () => {
      await on.create(2)
      for (let i = 0; i < 20; i++) await on.log.append(on.topic, numbered(3, i * 3))
      for (const records of await on.readAll(60)) {
        const times = records.map((r) => r.timestamp)
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        )
      }
    })

    it('outlives the connection', async () => {
      await on.create(1)
      await on.log.append(on.topic, numbered(3))
      await on.reopen()
      const [stored = []] = await on.readAll(3)
      assert.deepEqual(stored.map(text), ['v0', 'v1', 'v2'])
      const [position] = await on.log.append(on.topic, numbered(1))
      assert.ok(position && position.offset > (stored.at(-1)?.offset ?? 0))
    })
  })

  describe('offsets', () => {
    it('at a time are the first records stamped then or later', async () => {
      await on.create(2)
      for (let i = 0; i < 10; i++) await on.log.append(on.topic, numbered(4, i * 4))
      const stored = await on.readAll(40)
      const ends = await on.log.endOffsets(on.topic)
      const times = stored.flat().map((r) => r.timestamp)
      for (const time of new Set([0, ...times, Math.max(...times) + 1])) {
        const expected = stored.map(
          (records, p) => records.find((r) => r.timestamp >= time)?.offset ?? ends[p],
        )
        assert.deepEqual(await on.log.offsetsAt(on.topic, time), expected)
      }
    })

    it('of a group are -1, then what it committed, whoever else commits, and outlive the connection', async () => {
      await on.create(2)
      await on.log.append(on.topic, numbered(20))
      const consumer = await on.consume(async () => {})
      assert.deepEqual(await on.log.committed(on.group, on.topic), [-1, -1])
      await consumer.commit(on.topic, 1, 3)
      assert.deepEqual(await on.log.committed(on.group, on.topic), [-1, 3])
      assert.deepEqual(await on.log.committed(`other-${on.group}`, on.topic), [-1, -1])
      await on.reopen()
      assert.deepEqual(await on.log.committed(on.group, on.topic), [-1, 3])
    })
  })
}
