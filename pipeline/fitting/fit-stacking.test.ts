import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choosePenalty, fitStacking, heldOutStacking, stackingOf } from './fit-stacking.ts'
import { simulatedRows } from './judged.fixture.ts'
import type { Judged } from './judged.ts'

const rows = simulatedRows(1_000)
const withOpinions = (...experts: string[]): Judged[] =>
  rows.map((row) => ({
    ...row,
    opinions: Object.fromEntries(
      Object.entries(row.opinions).filter(([expert]) => experts.includes(expert)),
    ),
  }))

const near = (values: readonly number[] | undefined, expected: number, within: number) => {
  assert.ok(
    values?.every((value) => Math.abs(value - expected) < within),
    `${values}`,
  )
}

test('who says the truth gets the weight, noise gets none, and labels that are even no bias', () => {
  const { weights, biases } = fitStacking(withOpinions('true', 'noise'), { true: 1, noise: 1 }, 100)
  near(weights.true, 1, 0.15)
  near(weights.noise, 0, 0.15)
  near(biases, 0, 0.15)
})

test('who is too sure is turned down', () => {
  near(fitStacking(withOpinions('loud'), { loud: 1 }, 100).weights.loud, 1 / 3, 0.07)
})

test('the penalty draws the labels to one weight an expert', () => {
  const spread = (penalty: number) => {
    const of = fitStacking(rows.slice(0, 100), { true: 0.5, noise: 0.5 }, penalty).weights.true
    return Math.max(...(of ?? [])) - Math.min(...(of ?? []))
  }
  assert.ok(spread(1) > 0.01)
  assert.ok(spread(1e6) < 1e-3)
})

test('the order of the experts and of the rows does not matter', () => {
  const one = fitStacking(rows, { true: 0.7, noise: 0.3 }, 10)
  const other = fitStacking(rows.toReversed(), { noise: 0.3, true: 0.7 }, 10)
  assert.deepEqual(other, one)
})

test('a held-out row is judged by parameters that have not seen its fold', () => {
  const [first] = rows
  const lying = rows.map((row) =>
    row.fold === first?.fold ? { ...row, label: (row.label + 1) % 3 } : row,
  )
  const logits = (from: readonly Judged[]) =>
    heldOutStacking(from, { true: 1 }, 10)
      .filter((_, i) => rows[i]?.fold === first?.fold)
      .map((scored) => scored.logits)
  assert.deepEqual(logits(lying), logits(rows))
})

test('an expert of weight 0 has no part, unless all have none', () => {
  const found = stackingOf(rows, { true: 1, noise: 0, loud: 0 }, 10)
  const context = { task: 'sentiment', kind: 'news' } as const
  assert.ok(found.modelOf(context, ['true']))
  assert.equal(found.modelOf(context, ['true', 'noise']), undefined)
  assert.ok(stackingOf(rows, { noise: 0, true: 0 }, 10).modelOf(context, ['noise', 'true']))
})

test('few rows are penalised more than many', () => {
  const weights = { true: 0.5, noise: 0.5 }
  const uneven = rows.map((row) => (row.label === 2 ? { ...row, label: 1 } : row))
  assert.ok(choosePenalty(rows.slice(0, 40), weights) >= choosePenalty(uneven, weights))
  assert.ok(choosePenalty(uneven, weights) < 1_000)
})
