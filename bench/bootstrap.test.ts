import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accuracy } from '../pipeline/training/metrics.ts'
import { type Clustered, interval, pairedInterval } from './bootstrap.ts'

/** `right` of 100 rows are right, in clusters of `size`. */
function predictions(right: number, size: number): Clustered[] {
  return Array.from({ length: 100 }, (_, i) => ({
    probabilities: i < right ? [1, 0] : [0, 1],
    label: 0,
    cluster: String(Math.floor(i / size)),
  }))
}

const width = ([low, high]: readonly [number, number]) => high - low

test('the interval is about that of the binomial', () => {
  const [low, high] = interval(predictions(80, 1), accuracy)
  // 0.8 +- 1.96 * sqrt(0.8 * 0.2 / 100)
  assert.ok(Math.abs(low - 0.722) < 0.02 && Math.abs(high - 0.878) < 0.02, `${low}..${high}`)
})

test('rows that repeat each other are less evidence', () => {
  const single = width(interval(predictions(80, 1), accuracy))
  assert.ok(width(interval(predictions(80, 10), accuracy)) > 2 * single)
})

test('a paired difference is narrower than two intervals say', () => {
  const [better, worse] = [predictions(82, 1), predictions(80, 1)]
  const paired = pairedInterval(better, worse, accuracy)
  assert.ok(width(paired) < width(interval(better, accuracy)) / 2)
  assert.deepEqual(pairedInterval(better, better, accuracy), [0, 0])
})
