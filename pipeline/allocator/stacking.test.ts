import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distributions } from '../testing/distributions.ts'
import { createStacking, type StackingModel, stacked } from './stacking.ts'

const model: StackingModel = {
  task: 'sentiment',
  kind: 'news',
  weights: { lexicon: [0.1, 0.2, 0.3], linear: [1, 1, 1] },
  biases: [0, 0.1, 0],
  penalty: 1,
  rows: 10,
}

const context = { task: 'sentiment', kind: 'news' } as const

test('a model is found for exactly its experts, in any order', () => {
  const stacking = createStacking([model])
  assert.equal(stacking.modelOf(context, ['linear', 'lexicon'])?.rows, 10)
  assert.equal(stacking.modelOf(context, ['linear']), undefined)
  assert.equal(stacking.modelOf(context, ['linear', 'lexicon', 'minilm']), undefined)
  assert.equal(stacking.modelOf({ ...context, kind: 'comment' }, ['linear', 'lexicon']), undefined)
})

test('of two models for the same experts the last one counts', () => {
  const stacking = createStacking([model, { ...model, rows: 20 }])
  assert.equal(stacking.modelOf(context, ['linear', 'lexicon'])?.rows, 20)
})

test('its numbers are used as 32-bit floats', () => {
  const found = createStacking([model]).modelOf(context, ['linear', 'lexicon'])
  assert.deepEqual(found?.biases, [0, Math.fround(0.1), 0])
  assert.deepEqual(found?.weights.lexicon, [0.1, 0.2, 0.3].map(Math.fround))
})

test('weights that labels share, without biases, are a logarithmic pool', () => {
  fc.assert(
    fc.property(
      distributions(3),
      distributions(3),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (a, b, share) => {
        const weights = { a: [share, share, share], b: [1 - share, 1 - share, 1 - share] }
        const found = stacked(
          [
            { expert: 'a', probabilities: a },
            { expert: 'b', probabilities: b },
          ],
          { weights, biases: [0, 0, 0] },
        )
        const pooled = a.map((p, k) => p ** share * (b[k] ?? 0) ** (1 - share))
        const sum = pooled.reduce((total, p) => total + p, 0)
        found.forEach((p, k) => {
          assert.ok(Math.abs(p - (pooled[k] ?? 0) / sum) < 1e-9)
        })
      },
    ),
  )
})

test('a bias moves probability to its label, and a probability of 0 is no trouble', () => {
  const weights = { a: [1, 1, 1] }
  const [first = 0, , last = 0] = stacked([{ expert: 'a', probabilities: [0.5, 0, 0.5] }], {
    weights,
    biases: [1, 0, 0],
  })
  assert.ok(Math.abs(first / last - Math.E) < 1e-9)
})
