import assert from 'node:assert/strict'
import { test } from 'node:test'
import { softmax } from '../experts/probabilities.ts'
import { fitTemperature } from './temperature.ts'

const near = (actual: number, expected: number, within = 1e-9) =>
  assert.ok(Math.abs(actual - expected) < within, `${actual} is not ${expected}`)

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
