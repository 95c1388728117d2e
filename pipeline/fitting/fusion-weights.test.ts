import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distributions } from '../testing/distributions.ts'
import { fitParameters } from './fusion-parameters.ts'
import { fitWeights, weightings, withTemperature } from './fusion-weights.ts'
import type { Judged } from './judged.ts'

const judged: fc.Arbitrary<Judged[]> = fc
  .array(
    fc.record({
      label: fc.integer({ min: 0, max: 2 }),
      opinions: fc.record({ linear: distributions(3), minilm: distributions(3) }),
    }),
    { minLength: 5, maxLength: 15 },
  )
  .map((rows) =>
    rows.map((row, i) => ({ ...row, task: 'sentiment', kind: 'news', fold: i % 5, cluster: i })),
  )

test('the shares sum to 1 in steps of 0.05, each way once', () => {
  const found = weightings(['a', 'b', 'c'])
  assert.equal(found.length, 231)
  assert.equal(new Set(found.map((weights) => JSON.stringify(weights))).size, 231)
  for (const weights of found) {
    const shares = Object.values(weights)
    assert.ok(Math.abs(shares.reduce((a, b) => a + b) - 1) < 1e-12)
    assert.ok(
      shares.every((share) => share >= 0 && Number.isInteger(Math.round(share * 1e9) / 5e7)),
    )
  }
  assert.deepEqual(weightings(['a']), [{ a: 1 }])
})

test('the fitted weights are no worse than any expert alone', () => {
  fc.assert(
    fc.property(judged, (rows) => {
      const { logLoss } = fitWeights(rows)
      for (const alone of [{ linear: 1 }, { minilm: 1 }])
        assert.ok(logLoss <= withTemperature(rows, alone).logLoss + 1e-9)
    }),
    { numRuns: 10 },
  )
})

test('the order of the rows does not matter', () => {
  fc.assert(
    fc.property(judged, (rows) => {
      const [one, other] = [fitWeights(rows), fitWeights(rows.toReversed())]
      assert.ok(Math.abs(one.logLoss - other.logLoss) < 1e-6)
    }),
    { numRuns: 10 },
  )
})

test('a copy of an expert changes nothing', () => {
  fc.assert(
    fc.property(judged, (rows) => {
      const doubled = rows.map((row) => ({
        ...row,
        opinions: { ...row.opinions, copy: row.opinions.linear ?? [] },
      }))
      assert.ok(Math.abs(fitWeights(doubled).logLoss - fitWeights(rows).logLoss) < 1e-6)
    }),
    { numRuns: 3 },
  )
})

/** `oracle` knows; `noise` says the same of every text. */
const decided = Array.from({ length: 40 }, (_, i): Judged => {
  const label = i % 2
  const sure = label === 0 ? [0.9, 0.1] : [0.1, 0.9]
  return {
    task: 'sentiment',
    kind: i % 4 < 2 ? 'news' : 'comment',
    label,
    fold: i % 5,
    cluster: i,
    opinions: { oracle: sure, noise: [0.6, 0.4] },
  }
})

test('who knows has all the weight', () => {
  assert.deepEqual(fitWeights(decided).weights, { oracle: 1, noise: 0 })
})

test('there is a temperature for every set of experts that may run, by kind', () => {
  const weights = { oracle: 0.9, noise: 0.1 }
  const ofKinds = { news: weights, comment: weights }
  const { temperatures } = fitParameters(decided, { sentiment: ofKinds, topic: ofKinds })
  const sentiment = temperatures.filter(({ method }) => method === 'vote')
  assert.deepEqual(
    sentiment.map(({ kind, experts, rows }) => `${kind} ${experts} ${rows}`),
    [
      '  40',
      ...['news', 'comment'].flatMap((kind) => [
        `${kind}  20`,
        `${kind} noise 20`,
        `${kind} oracle 20`,
        `${kind} noise+oracle 20`,
      ]),
    ],
  )
})
