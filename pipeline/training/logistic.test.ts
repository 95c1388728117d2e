import assert from 'node:assert/strict'
import { test } from 'node:test'
import { softmax } from '../experts/probabilities.ts'
import { fitLogistic } from './logistic.ts'

const near = (actual: number, expected: number, within = 1e-9) =>
  assert.ok(Math.abs(actual - expected) < within, `${actual} is not ${expected}`)

test('the logistic map finds the shares of each feature', () => {
  const rows = (feature: number, ones: number) =>
    Array.from({ length: 100 }, (_, i) => ({ features: [1, feature], label: i < ones ? 1 : 0 }))
  const weights = fitLogistic([...rows(0, 20), ...rows(1, 60)], 2)
  const share = (feature: number) =>
    softmax(weights.map(([bias = 0, slope = 0]) => bias + slope * feature))[1] ?? 0
  near(share(0), 0.2, 1e-3)
  near(share(1), 0.6, 1e-3)
})
