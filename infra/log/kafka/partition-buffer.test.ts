import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { LogRecord } from '../log.ts'
import { PartitionBuffer } from './partition-buffer.ts'

const limits = { maxRecords: 3, maxBytes: 1_000 }

it('hands out every record once, in batches that join, with times that never go back', () => {
  /** Offsets that a batch passes, of which the last ones hold records. */
  const batches = fc.array(
    fc.record({ passed: fc.integer({ min: 1, max: 6 }), held: fc.integer({ min: 0, max: 6 }) }),
  )
  const repeated = fc.infiniteStream(fc.boolean())
  fc.assert(
    fc.property(batches, repeated, fc.integer({ min: 0, max: 50 }), (fetched, again, start) => {
      const buffer = new PartitionBuffer(start)
      const pushed: number[] = []
      const read: LogRecord[] = []
      let from = start
      for (const { passed, held } of fetched) {
        const next = buffer.tail + passed
        const offsets = Array.from({ length: Math.min(passed, held) }, (_, i) => next - 1 - i)
        const records = offsets.reverse().map((offset) => ({
          offset,
          timestamp: (offset * 7_919) % 13,
          key: null,
          value: Buffer.alloc(offset % 300),
        }))
        buffer.push({ next, records })
        pushed.push(...offsets)
        for (let batch = buffer.read(from, limits); batch; batch = buffer.read(from, limits)) {
          assert.ok(batch.from === from && batch.next > from)
          assert.ok(batch.records.length <= limits.maxRecords)
          assert.ok(batch.records.every(({ offset }) => offset >= from && offset < batch.next))
          if (again.next().value === true) continue // the handler failed: the same again
          read.push(...batch.records)
          from = batch.next
        }
        assert.equal(from, buffer.tail)
        assert.equal(buffer.bytes, 0)
      }
      assert.deepEqual(
        read.map(({ offset }) => offset),
        pushed,
      )
      const times = read.map(({ timestamp }) => timestamp)
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      )
    }),
    { numRuns: 200 },
  )
})
