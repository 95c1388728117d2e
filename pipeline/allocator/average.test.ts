import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distributions } from '../testing/distributions.ts'
import { average, renormalised } from './average.ts'

const near = (actual: readonly number[], expected: readonly number[]) => {
  assert.equal(actual.length, expected.length)
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] ?? 0)) < 1e-12, `${actual} is not ${expected}`)
  })
}

test('two experts at 0.7 and 0.8 with 0.5 each give 0.75', () => {
  near(
    average([
      { weight: 0.5, probabilities: [0.7, 0.3] },
      { weight: 0.5, probabilities: [0.8, 0.2] },
    ]),
    [0.75, 0.25],
  )
})

const weightCases = [
  { name: 'they sum to 1 already', input: [0.9, 0.1], expected: [0.9, 0.1] },
  { name: 'one did not run', input: [0.3], expected: [1] },
  { name: 'any scale', input: [3, 1], expected: [0.75, 0.25] },
  { name: 'all zero', input: [0, 0], expected: [0.5, 0.5] },
  { name: 'none', input: [], expected: [] },
]

for (const { name, input, expected } of weightCases)
  test(`weights: ${name}`, () => near(renormalised(input), expected))

test('the averaged distribution lies between the opinions', () => {
  const opinion = fc.record({
    weight: fc.double({ min: 0, max: 10, noNaN: true }),
    probabilities: distributions(3),
  })
  fc.assert(
    fc.property(fc.array(opinion, { minLength: 1, maxLength: 5 }), (opinions) => {
      average(opinions).forEach((p, k) => {
        const of = opinions.map(({ probabilities }) => probabilities[k] ?? 0)
        assert.ok(p >= Math.min(...of) - 1e-9 && p <= Math.max(...of) + 1e-9)
      })
    }),
  )
})
