import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { packageRoot } from '../../infra/package-root.ts'
import { confusionMatrix, labelFigures } from './confusion.ts'
import { type Metrics, metricsOf, metricsOfPredictions } from './metrics.ts'
import { reliabilityBins } from './reliability.ts'
import { Outcomes, type Tally, tallyOf } from './tally.ts'

interface Case {
  readonly name: string
  readonly labels: number
  readonly truths: readonly number[]
  readonly probabilities: readonly (readonly number[])[]
  readonly expected: Omit<Metrics, 'calibrationError'>
  readonly precision: readonly number[]
  readonly recall: readonly number[]
  readonly f1: readonly number[]
  readonly support: readonly number[]
  readonly confusion: readonly (readonly number[])[]
}

/** What scikit-learn 1.9 gave (zero_division 0, Brier not halved), to nine digits. */
const cases: Case[] = readFileSync(
  join(packageRoot, 'pipeline/evaluation/scikit-learn.fixture.ndjson'),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))

function near(actual: number | undefined, expected: number, what = ''): void {
  assert.ok(
    Math.abs((actual ?? Number.NaN) - expected) < 2e-9,
    `${what} ${actual} is not ${expected}`,
  )
}

function tallied({
  labels,
  truths,
  probabilities,
}: Pick<Case, 'labels' | 'truths' | 'probabilities'>): Tally {
  const outcomes = new Outcomes()
  truths.forEach((truth, i) => {
    outcomes.add(truth, probabilities[i] ?? [])
  })
  return tallyOf(outcomes, labels, truths.keys())
}

describe('metrics are those of scikit-learn', () => {
  assert.ok(cases.length > 0)
  for (const example of cases)
    it(example.name, () => {
      const tally = tallied(example)
      const metrics = metricsOf(tally)
      for (const [name, value] of Object.entries(example.expected))
        near(metrics[name as keyof Metrics], value, name)
      assert.deepEqual(confusionMatrix(tally), example.confusion)
      labelFigures(tally).forEach((label, i) => {
        for (const name of ['precision', 'recall', 'f1', 'support'] as const)
          near(label[name], example[name][i] ?? Number.NaN, `${name} of ${i}`)
      })
    })
})

describe('calibration', () => {
  /** Confidences 0.9, 0.6, 0.7, 0.8; the third is wrong. */
  const predictions = [
    { probabilities: [0.9, 0.1], label: 0 },
    { probabilities: [0.6, 0.4], label: 0 },
    { probabilities: [0.7, 0.3], label: 1 },
    { probabilities: [0.2, 0.8], label: 1 },
  ]

  it('is the mean gap of the bins', () => {
    // Gaps by bin: 0.1, 0.4, -0.7, 0.2.
    near(metricsOfPredictions(predictions).calibrationError, 1.4 / 4)
  })

  it('has the bins behind it', () => {
    const tally = tallied({
      labels: 2,
      truths: [0, 0, 1],
      probabilities: [
        [1, 0],
        [0.95, 0.05],
        [0.55, 0.45],
      ],
    })
    assert.deepEqual(reliabilityBins(tally), [
      { from: 0.5, to: 0.6, rows: 1, confidence: 0.55, accuracy: 0 },
      { from: 0.9, to: 1, rows: 2, confidence: 1.95 / 2, accuracy: 1 },
    ])
  })
})

const labels = 4
const distribution = fc
  .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: labels, maxLength: labels })
  .map((weights) => {
    const sum = weights.reduce((total, weight) => total + weight, 0)
    return weights.map((weight) => weight / sum)
  })
  .filter((probabilities) => new Set(probabilities).size === labels) // Of equals the first one wins.
const predictionsArbitrary = fc.array(
  fc.record({ probabilities: distribution, label: fc.nat({ max: labels - 1 }) }),
  { minLength: 1, maxLength: 40 },
)

describe('every metric', () => {
  it('is the same in any order, and when every row stands twice', () => {
    fc.assert(
      fc.property(predictionsArbitrary, (predictions) => {
        const once = metricsOfPredictions(predictions)
        const reversed = metricsOfPredictions(predictions.toReversed())
        const twice = metricsOfPredictions([...predictions, ...predictions])
        for (const [name, value] of Object.entries(once)) {
          near(reversed[name as keyof Metrics], value, name)
          near(twice[name as keyof Metrics], value, name)
        }
      }),
    )
  })

  it('is the same when the labels are renamed', () => {
    fc.assert(
      fc.property(predictionsArbitrary, (predictions) => {
        const renamed = predictions.map(({ probabilities, label }) => ({
          probabilities: probabilities.toReversed(),
          label: labels - 1 - label,
        }))
        const [before, after] = [predictions, renamed].map(metricsOfPredictions)
        for (const [name, value] of Object.entries(before ?? {}))
          near(after?.[name as keyof Metrics], value, name)
      }),
    )
  })

  it('is perfect for a perfect classifier', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: labels - 1 }), { minLength: 1, maxLength: 40 }),
        (truths) => {
          const certain = truths.map((label) => ({
            label,
            probabilities: Array.from({ length: labels }, (_, i) => (i === label ? 1 : 0)),
          }))
          assert.deepEqual(metricsOfPredictions(certain), {
            accuracy: 1,
            macroF1: 1,
            weightedF1: 1,
            logLoss: 0,
            brier: 0,
            calibrationError: 0,
          })
        },
      ),
    )
  })
})
