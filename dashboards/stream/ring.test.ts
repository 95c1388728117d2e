import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Entry, Ring } from './ring.ts'

const entryOf = (partition: number, offset: number): Entry => ({ partition, offset, json: null })

describe('Ring', () => {
  it('covers exactly the cursors that miss nothing it has dropped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.tuple(fc.nat(25), fc.nat(25), fc.nat(25)),
        (partitions, capacity, cursor) => {
          const ring = new Ring(capacity)
          ring.restart({})
          const next = [0, 0, 0]
          const entries = partitions.map((partition) => {
            const offset = next[partition] ?? 0
            next[partition] = offset + 1
            return entryOf(partition, offset)
          })
          ring.push(entries)
          const dropped = entries.slice(0, Math.max(0, entries.length - capacity))
          const misses = dropped.some(({ partition, offset }) => offset >= (cursor[partition] ?? 0))
          assert.equal(ring.covers({ ...cursor }), !misses)
        },
      ),
    )
  })

  it('gives from a sequence what was pushed from there on, until it is dropped', () => {
    const ring = new Ring(3)
    ring.push([entryOf(0, 0), entryOf(0, 1)])
    const sequence = ring.nextSequence
    ring.push([entryOf(0, 2), entryOf(0, 3)])
    assert.deepEqual(ring.from(sequence, 10), [entryOf(0, 2), entryOf(0, 3)])
    assert.deepEqual(ring.from(sequence, 1), [entryOf(0, 2)])
    ring.push([entryOf(0, 4), entryOf(0, 5)])
    assert.ok(sequence < ring.firstSequence)
  })

  it('leaves no reader its place when it restarts, even when it was empty', () => {
    const ring = new Ring(3)
    const place = ring.nextSequence
    ring.restart({ 0: 7 })
    assert.ok(place < ring.firstSequence)
    assert.deepEqual([ring.covers({ 0: 6 }), ring.covers({ 0: 7 })], [false, true])
  })
})
