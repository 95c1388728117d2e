import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../infra/seeded-random.ts'
import { openLoop, percentile, poissonArrivals } from './open-loop.ts'

test('arrivals are as many as asked, in order, and the same for a seed', () => {
  const arrivals = poissonArrivals(1_000, 100_000, seededRandom(1))
  // The count of a Poisson process of mean 100,000 deviates by 316.
  assert.ok(Math.abs(arrivals.length - 100_000) < 1_500)
  assert.deepEqual(
    arrivals,
    arrivals.toSorted((a, b) => a - b),
  )
  assert.deepEqual(arrivals, poissonArrivals(1_000, 100_000, seededRandom(1)))
})

test('gaps vary as much as they last: the arrivals are no clockwork', () => {
  const arrivals = poissonArrivals(1_000, 100_000, seededRandom(2))
  const gaps = arrivals.slice(1).map((at, i) => at - (arrivals[i] ?? 0))
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length
  assert.ok(Math.abs(Math.sqrt(variance) / mean - 1) < 0.05)
})

test('requests do not wait for answers, and a late sender counts as latency', async () => {
  const waiting: (() => void)[] = []
  const answerAll = () => {
    for (const answer of waiting) answer()
  }
  const latencies = await openLoop([0, 1, 2], () => {
    const answer = new Promise<void>((resolve) => waiting.push(resolve))
    if (waiting.length === 3) answerAll()
    return answer
  })
  assert.equal(latencies.length, 3)
  assert.ok((latencies[0] ?? 0) >= 1, 'the first waited for the last to be sent')
})

const ranks = [
  { name: 'p50 of an even count', input: [4, 1, 3, 2], share: 0.5, expected: 2 },
  { name: 'p99 of few', input: [1, 2, 3], share: 0.99, expected: 3 },
  { name: 'p0', input: [2, 1], share: 0, expected: 1 },
  { name: 'of nothing', input: [], share: 0.5, expected: Number.NaN },
]

for (const { name, input, share, expected } of ranks)
  test(`percentile: ${name}`, () => assert.equal(percentile(input, share), expected))
