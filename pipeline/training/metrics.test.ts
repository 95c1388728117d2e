import assert from 'node:assert/strict'
import { test } from 'node:test'
import { softmax } from '../experts/probabilities.ts'
import { fitLogistic } from './logistic.ts'
import { accuracy, calibrationError, logLoss, macroF1 } from './metrics.ts'
import { fitTemperature } from './temperature.ts'

/** Three of four right; label 1 is missed once. F1: 0.8 for label 0, 2/3 for label 1. */
const predictions = [
  { probabilities: [0.9, 0.1], label: 0 },
  { probabilities: [0.6, 0.4], label: 0 },
  { probabilities: [0.7, 0.3], label: 1 },
  { probabilities: [0.2, 0.8], label: 1 },
]

const near = (actual: number, expected: number, within = 1e-9) =>
  assert.ok(Math.abs(actual - expected) < within, `${actual} is not ${expected}`)

const cases = [
  { name: 'accuracy', metric: accuracy, expected: 0.75 },
  { name: 'macro-F1', metric: macroF1, expected: (0.8 + 2 / 3) / 2 },
  { name: 'log-loss', metric: logLoss, expected: -Math.log(0.9 * 0.6 * 0.3 * 0.8) / 4 },
  /** Gaps by bin: 0.1, 0.4, -0.7, 0.2. */
  { name: 'calibration error', metric: calibrationError, expected: 1.4 / 4 },
]

for (const { name, metric, expected } of cases)
  test(name, () => near(metric(predictions), expected))

/** 70 of 100 are label 0 while the logits say 0.9. */
const overconfident = Array.from({ length: 100 }, (_, i) => ({
  logits: [Math.log(9), 0],
  label: i < 70 ? 0 : 1,
}))

test('the temperature makes the confidence what it is worth', () => {
  const temperature = fitTemperature(overconfident)
  near(softmax([Math.log(9), 0], temperature)[0] ?? 0, 0.7, 1e-3)
})

test('few rows stay near the parent, many leave it', () => {
  const free = fitTemperature(overconfident)
  const few = fitTemperature(overconfident.slice(69, 71), 1)
  const many = fitTemperature(Array.from({ length: 50 }, () => overconfident).flat(), 1)
  assert.ok(free > 2 && few > 1 && few < 1.3)
  near(many, free, 0.1)
  near(fitTemperature([], 1.5), 1.5, 1e-3)
})

test('the logistic map finds the shares of each feature', () => {
  const rows = (feature: number, ones: number) =>
    Array.from({ length: 100 }, (_, i) => ({ features: [1, feature], label: i < ones ? 1 : 0 }))
  const weights = fitLogistic([...rows(0, 20), ...rows(1, 60)], 2)
  const share = (feature: number) =>
    softmax(weights.map(([bias = 0, slope = 0]) => bias + slope * feature))[1] ?? 0
  near(share(0), 0.2, 1e-3)
  near(share(1), 0.6, 1e-3)
})
