import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calibrationErrorByChance, calibrationFigures, isLess, lossDifference } from './evidence.ts'

const rows = Array.from({ length: 100 }, (_, i) => ({
  label: i % 10 < 8 ? 0 : 1,
  probabilities: [0.8, 0.2],
}))
const clusters = rows.map((_, i) => i)

test('confidences that are worth what they say have no error', () => {
  const figures = calibrationFigures(rows, clusters)
  assert.equal(figures.accuracy, 0.8)
  assert.equal(figures.calibrationError, 0)
  assert.equal(figures.calibrationErrorInterval[0], 0)
})

const chances = [
  { name: 'who is always sure', confidences: new Array<number>(50).fill(1), expected: 0 },
  /** E|k/n - p| of one bin: sqrt(2 p (1 - p) / (pi n)). */
  {
    name: 'who says 0.75 of 400 texts',
    confidences: new Array<number>(400).fill(0.75),
    expected: Math.sqrt((2 * 0.75 * 0.25) / (Math.PI * 400)),
  },
]

for (const { name, confidences, expected } of chances)
  test(`the error by chance of ${name}`, () => {
    assert.ok(Math.abs(calibrationErrorByChance({ confidences }) - expected) < 0.001)
  })

test('a better judge has less loss, by an interval that says so', () => {
  const worse = rows.map((row) => ({ ...row, probabilities: [0.5, 0.5] }))
  const difference = lossDifference(rows, worse, clusters)
  assert.ok(isLess(difference))
  assert.ok(!isLess(lossDifference(worse, rows, clusters)))
  assert.deepEqual(lossDifference(rows, rows, clusters), { difference: 0, interval: [0, 0] })
})
