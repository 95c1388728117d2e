import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { minimise } from './minimise.ts'

const numbers = (least: number, most: number) =>
  fc.array(fc.double({ min: least, max: most, noNaN: true }), { minLength: 3, maxLength: 3 })

test('finds the bottom of any bowl from anywhere', () => {
  fc.assert(
    fc.property(numbers(-5, 5), numbers(0.05, 5), numbers(-5, 5), (bottom, steepness, start) => {
      const found = minimise((at) => {
        const away = at.map((value, i) => value - (bottom[i] ?? 0))
        return {
          value: away.reduce((sum, d, i) => sum + ((steepness[i] ?? 0) * d ** 2) / 2, 0),
          gradient: away.map((d, i) => (steepness[i] ?? 0) * d),
        }
      }, Float64Array.from(start))
      found.forEach((value, i) => {
        assert.ok(Math.abs(value - (bottom[i] ?? 0)) < 1e-4, `${found} is not ${bottom}`)
      })
    }),
  )
})

test('follows a bent valley', () => {
  // Rosenbrock's function.
  const [x = 0, y = 0] = minimise(
    ([a = 0, b = 0]) => ({
      value: (1 - a) ** 2 + 100 * (b - a ** 2) ** 2,
      gradient: Float64Array.of(-2 * (1 - a) - 400 * a * (b - a ** 2), 200 * (b - a ** 2)),
    }),
    Float64Array.of(-1.2, 1),
  )
  assert.ok(Math.abs(x - 1) < 1e-4 && Math.abs(y - 1) < 1e-4, `${x}, ${y}`)
})

test('stays where it is flat', () => {
  const start = Float64Array.of(3, 4)
  assert.deepEqual(
    minimise(() => ({ value: 1, gradient: new Float64Array(2) }), start),
    start,
  )
})
