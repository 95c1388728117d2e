import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { chunksWithin } from './chunks.ts'

const most = { count: 4, size: 10 }
const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0)

describe('chunks', () => {
  it('keep all items in order, within the limits, each as long as it may be', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(14)), (sizes) => {
        const chunks = [...chunksWithin(sizes, most, (size) => size)]
        assert.deepEqual(chunks.flat(), sizes)
        chunks.forEach((chunk, i) => {
          assert.ok(chunk.length > 0 && chunk.length <= most.count)
          assert.ok(chunk.length === 1 || sum(chunk) <= most.size)
          const next = chunks[i + 1]?.[0]
          const couldTakeNext = chunk.length < most.count && sum(chunk) + (next ?? 0) <= most.size
          assert.ok(next === undefined || !couldTakeNext)
        })
      }),
    )
  })
})
