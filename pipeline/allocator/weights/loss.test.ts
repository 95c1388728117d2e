import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distributions } from '../../testing/distributions.ts'
import { hedge, type Weights } from './hedge.ts'
import { halfBrier, mixtureLosses, mixtureOf } from './loss.ts'

const brierCases = [
  { name: 'sure and right', input: [1, 0, 0], expected: 0 },
  { name: 'sure and wrong', input: [0, 1, 0], expected: 1 },
  { name: 'undecided between two', input: [0.5, 0.5, 0], expected: 0.25 },
]

for (const { name, input, expected } of brierCases)
  test(`half Brier: ${name}`, () => assert.equal(halfBrier(input, 0), expected))

const label = fc.nat({ max: 2 })
const round = fc.record({
  label,
  voices: fc.array(distributions(3), { minLength: 3, maxLength: 3 }),
})

test('losses are in [0, 1], and asleep is asleep', () => {
  fc.assert(
    fc.property(round, distributions(3), ({ voices, label }, weights) => {
      const losses = mixtureLosses(weights, [voices[0], undefined, voices[2]], label)
      assert.equal(losses[1], undefined)
      for (const loss of [losses[0], losses[2]])
        assert.ok(loss !== undefined && loss >= 0 && loss <= 1)
    }),
  )
})

test('losses are the gradient of the mixture’s score', () => {
  fc.assert(
    fc.property(round, distributions(3), distributions(3), ({ voices, label }, from, to) => {
      const scoreAt = (step: number) => {
        const weights = from.map((weight, i) => weight + step * ((to[i] ?? 0) - weight))
        return halfBrier(mixtureOf(weights, voices), label)
      }
      const step = 1e-5
      const slope = (scoreAt(step) - scoreAt(-step)) / (2 * step)
      const losses = mixtureLosses(from, voices, label)
      const told = losses.reduce<number>(
        (sum, loss, i) => sum + 2 * (loss ?? 0) * ((to[i] ?? 0) - (from[i] ?? 0)),
        0,
      )
      assert.ok(Math.abs(slope - told) < 1e-6)
    }),
  )
})

test('the mixture loses to no fixed mixture more than twice the bound of Hedge', () => {
  const rounds = fc.array(round, { minLength: 20, maxLength: 60 })
  fc.assert(
    fc.property(rounds, distributions(3), (stream, fixed) => {
      const eta = 0.5
      let weights: Weights = [1 / 3, 1 / 3, 1 / 3]
      let regret = 0
      for (const { voices, label } of stream) {
        regret +=
          halfBrier(mixtureOf(weights, voices), label) - halfBrier(mixtureOf(fixed, voices), label)
        weights = hedge(weights, mixtureLosses(weights, voices, label), { eta, share: 0 })
      }
      assert.ok(regret <= 2 * (Math.log(3) / eta + (eta * stream.length) / 8) + 1e-9)
    }),
  )
})
