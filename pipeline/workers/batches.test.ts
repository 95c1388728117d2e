import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { planBatches } from './batches.ts'

const cases = [
  { name: 'nothing', lengths: [], maxTokens: 100, expected: [] },
  {
    name: 'like goes with like',
    lengths: [3, 50, 3, 50],
    maxTokens: 100,
    expected: [
      { windows: [1, 3], length: 50 },
      { windows: [0, 2], length: 3 },
    ],
  },
  {
    name: 'padding counts',
    lengths: [10, 2, 2],
    maxTokens: 20,
    expected: [
      { windows: [0, 1], length: 10 },
      { windows: [2], length: 2 },
    ],
  },
  {
    name: 'a window above the limit is alone',
    lengths: [1, 200, 1],
    maxTokens: 100,
    expected: [
      { windows: [1], length: 200 },
      { windows: [0, 2], length: 1 },
    ],
  },
]

for (const { name, lengths, maxTokens, expected } of cases)
  test(name, () => assert.deepEqual(planBatches(lengths, maxTokens), expected))

test('every window is in one batch, no batch is too large, and none could take the next window', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 2, max: 128 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 4_096 }),
      (lengths, maxTokens) => {
        const batches = planBatches(lengths, maxTokens)
        assert.deepEqual(
          batches.flatMap(({ windows }) => windows).sort((a, b) => a - b),
          lengths.map((_, i) => i),
        )
        batches.forEach(({ windows, length }, i) => {
          assert.equal(length, Math.max(...windows.map((window) => lengths[window] ?? 0)))
          assert.ok(windows.length === 1 || length * windows.length <= maxTokens)
          if (i + 1 < batches.length) assert.ok(length * (windows.length + 1) > maxTokens)
        })
      },
    ),
  )
})
