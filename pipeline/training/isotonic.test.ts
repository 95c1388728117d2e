import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { descending, type Level } from './isotonic.ts'

const levels = fc.array(
  fc.record({
    value: fc.double({ min: -1, max: 1, noNaN: true }),
    weight: fc.integer({ min: 1, max: 100 }),
  }),
  { minLength: 1, maxLength: 12 },
)

const distance = (from: readonly Level[], to: readonly number[]) =>
  from.reduce((sum, { value, weight }, i) => sum + weight * (value - (to[i] ?? 0)) ** 2, 0)

test('the values never ascend, and keep the weighted mean', () => {
  fc.assert(
    fc.property(levels, (given) => {
      const fitted = descending(given)
      assert.equal(fitted.length, given.length)
      fitted.forEach((value, i) => {
        assert.ok(i === 0 || value <= (fitted[i - 1] ?? 0))
      })
      const total = given.reduce((sum, { value, weight }) => sum + value * weight, 0)
      const kept = given.reduce((sum, { weight }, i) => sum + (fitted[i] ?? 0) * weight, 0)
      assert.ok(Math.abs(total - kept) < 1e-9)
    }),
  )
})

test('no other values that never ascend are closer', () => {
  fc.assert(
    fc.property(levels, fc.array(fc.double({ min: -1, max: 1, noNaN: true })), (given, others) => {
      const other = given.map((_, i) => others[i] ?? 0).sort((a, b) => b - a)
      assert.ok(distance(given, descending(given)) <= distance(given, other) + 1e-9)
    }),
  )
})
