import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logLoss } from '../evaluation/metrics.ts'
import { fitMethods, heldOutPredictions, recipes } from './fit-methods.ts'
import { fitWeights, withTemperature } from './fusion-weights.ts'
import { gradientWeights } from './gradient-weights.ts'
import { simulatedRows } from './judged.fixture.ts'
import type { Judged } from './judged.ts'

/** Of two experts: all ways to weigh three take seconds. */
const rows = simulatedRows(200).map(({ opinions: { loud, ...opinions }, ...row }) => ({
  ...row,
  opinions,
}))

for (const method of fitMethods) {
  test(`${method} gives most of the weight to whoever says the truth`, () => {
    const weights = recipes[method].weights(rows)
    const sum = Object.values(weights).reduce((a, b) => a + b, 0)
    assert.ok(Math.abs(sum - 1) < 1e-3)
    assert.ok((weights.noise ?? 1) < 0.15, JSON.stringify(weights))
  })

  test(`${method}: what a row says of itself does not reach its prediction`, () => {
    const lying = rows.map((row) => (row.fold === 0 ? { ...row, label: 2 - row.label } : row))
    const held = (from: readonly Judged[]) =>
      heldOutPredictions(from, recipes[method])
        .filter((_, i) => rows[i]?.fold === 0)
        .map(({ probabilities }) => probabilities)
    assert.deepEqual(held(lying), held(rows))
  })

  test(`${method} is worth more than chance where experts know something`, () => {
    assert.ok(logLoss(heldOutPredictions(rows, recipes[method])) < Math.log(3) - 0.1)
  })
}

test('descent comes as far down as the grid', () => {
  const byGrid = fitWeights(rows).logLoss
  const byGradient = withTemperature(rows, gradientWeights(rows)).logLoss
  assert.ok(byGradient < byGrid + 1e-3, `${byGradient}, ${byGrid}`)
})
