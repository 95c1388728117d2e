import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Expert, ExpertInput, Spent } from '../experts/expert.ts'
import { createCosts } from './costs.ts'

const text = (length: number): ExpertInput => ({
  kind: 'news',
  title: '',
  text: 'x'.repeat(length),
})
const batchOf = (texts: number) => Array.from({ length: texts }, () => text(80))

const expert = (name: string, compute: (texts: number) => void, spent?: () => Spent): Expert => ({
  name,
  version: '1',
  tasks: ['sentiment'],
  classify: async (batch) => {
    compute(batch.length)
    return batch.map(() => ({ sentiment: [1, 0, 0] }))
  },
  ...(spent && { spent }),
  close: async () => {},
})

const isNear = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 0.05 * expected, `${actual} is not near ${expected}`)

test('an expert of this process costs what its calls take', async () => {
  let now = 0
  const since = (start: number) => () => now - start
  const costs = createCosts({ stopwatch: () => since(now) })
  const slow = costs.metered(
    expert('slow', (texts) => {
      now += 3 * texts
    }),
  )
  await Promise.all(Array.from({ length: 20 }, () => slow.classify(batchOf(50))))
  isNear(costs.msOf('slow', 80), 3)
  assert.ok(costs.msOf('slow', 200) > 2 * costs.msOf('slow', 80), 'longer texts cost more')
})

test('an encoder costs what its workers spent, however calls share their jobs', async () => {
  const spent = { texts: 0, characters: 0, computeMs: 0 }
  const costs = createCosts()
  const encoder = costs.metered(
    expert(
      'encoder',
      (texts) => {
        spent.texts += texts
        spent.characters += 80 * texts
        spent.computeMs += 5 * texts
      },
      () => ({ ...spent }),
    ),
  )
  await Promise.all(Array.from({ length: 20 }, () => encoder.classify(batchOf(50))))
  isNear(costs.msOf('encoder', 80), 5)
})

test('what it costs now counts, not what it cost long ago', async () => {
  let now = 0
  let msEach = 1
  const since = (start: number) => () => now - start
  const costs = createCosts({ stopwatch: () => since(now) })
  const changing = costs.metered(
    expert('changing', (texts) => {
      now += msEach * texts
    }),
  )
  for (let i = 0; i < 20; i++) await changing.classify(batchOf(100))
  msEach = 4
  for (let i = 0; i < 20; i++) await changing.classify(batchOf(100))
  isNear(costs.msOf('changing', 80), 4)
})

test('before anything was measured an encoder costs more than an expert of this process, and a stranger as much', () => {
  const costs = createCosts()
  costs.metered(expert('here', () => {}))
  costs.metered(
    expert(
      'there',
      () => {},
      () => ({ texts: 0, characters: 0, computeMs: 0 }),
    ),
  )
  assert.ok(costs.msOf('here', 100) > 0)
  assert.ok(costs.msOf('there', 100) > 10 * costs.msOf('here', 100))
  assert.equal(costs.msOf('stranger', 100), costs.msOf('there', 100))
})
