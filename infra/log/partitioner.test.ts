import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createPartitioner, partitionOfKey } from './partitioner.ts'

describe('the partition of a key', () => {
  // Reckoned with sha256sum. Changing one of these would tear later versions of stored posts from earlier ones.
  const fixed = [
    { key: '', partitions: 4, expected: 2 },
    { key: 'market-tweets-2020:1', partitions: 4, expected: 2 },
    { key: 'ключ', partitions: 7, expected: 5 },
  ]
  for (const { key, partitions, expected } of fixed)
    it(`of ${JSON.stringify(key)} among ${partitions} is ${expected}`, () => {
      assert.equal(partitionOfKey(key, partitions), expected)
    })

  it('exists and depends on nothing else', () => {
    const count = fc.integer({ min: 1, max: 1_024 })
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), count, (key, partitions) => {
        const partition = partitionOfKey(key, partitions)
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions)
        const [one, other] = [createPartitioner(), createPartitioner()]
        other(null, partitions)
        assert.equal(one(key, partitions), other(key, partitions))
      }),
    )
  })

  it('spreads many keys evenly', () => {
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 4_000; i++) {
      const partition = partitionOfKey(`post-${i}`, 4)
      counts[partition] = (counts[partition] ?? 0) + 1
    }
    assert.ok(counts.every((count) => count > 900 && count < 1_100))
  })
})

describe('records without a key', () => {
  it('go to the partitions in turn', () => {
    const partitionOf = createPartitioner()
    const turns = Array.from({ length: 7 }, () => partitionOf(null, 3))
    assert.deepEqual(turns, [0, 1, 2, 0, 1, 2, 0])
  })
})
