import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../infra/seeded-random.ts'
import { createBudget } from './budget.ts'
import type { Budget } from './price.ts'

const cheapMs = 0.1
const dearMs = 2

/** Posts whose dear expert gains some number of points, at a gain's chance: what is spent falls as the price rises. */
function spentOn(posts: number, gainOf: () => number, budget: Budget): number {
  const price = budget.price()
  let ms = 0
  for (let i = 0; i < posts; i++) ms += cheapMs + (gainOf() > dearMs * price ? dearMs : 0)
  budget.spent(posts, ms)
  return ms
}

const seeds = fc.integer()
const batches = fc.integer({ min: 1, max: 256 })

test('on a steady stream the average spent is the budget', () => {
  const budgets = fc.double({ min: 0.3, max: 1.5, noNaN: true })
  fc.assert(
    fc.property(seeds, budgets, batches, (seed, budgetMs, batch) => {
      const random = seededRandom(seed)
      const budget = createBudget({ budgetMs, clock: () => 0 })
      const spend = (least: number) => {
        let [posts, ms] = [0, 0]
        while (posts < least) {
          ms += spentOn(batch, () => random() ** 4 / 2, budget)
          posts += batch
        }
        return ms / posts
      }
      spend(10_000)
      const average = spend(20_000)
      assert.ok(Math.abs(average / budgetMs - 1) < 0.03, `${average} of ${budgetMs}`)
    }),
    { numRuns: 40 },
  )
})

test('after any past the budget is kept again', () => {
  const pasts = fc.array(
    fc.record({
      posts: fc.integer({ min: 0, max: 5_000 }),
      ms: fc.double({ min: 0, max: 1e6, noNaN: true }),
      waiting: fc.integer({ min: 0, max: 1e6 }),
    }),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(seeds, pasts, (seed, past) => {
      const random = seededRandom(seed)
      const budget = createBudget({ budgetMs: 1, clock: () => 0 })
      for (const { posts, ms, waiting } of past) {
        budget.waiting(waiting, 0)
        budget.spent(posts, ms)
      }
      budget.waiting(0, 0)
      const spend = (posts: number) => {
        let ms = 0
        for (let i = 0; i < posts; i += 50) ms += spentOn(50, () => random() ** 4 / 2, budget)
        return ms / posts
      }
      spend(3_000)
      assert.ok(Math.abs(spend(10_000) - 1) < 0.1)
    }),
    { numRuns: 40 },
  )
})

test('the price stays within its bounds, whatever is spent', () => {
  const spent = fc.tuple(fc.nat(1e6), fc.double({ min: 0, max: 1e9, noNaN: true }))
  fc.assert(
    fc.property(fc.array(spent), (history) => {
      const budget = createBudget({ budgetMs: 1, clock: () => 0 })
      for (const [posts, ms] of history) budget.spent(posts, ms)
      assert.ok(budget.price() > 0 && budget.price() <= 1 + 1e-9)
    }),
  )
})

test('a budget of 0 pays for nothing, and no price is ever normal', () => {
  const budget = createBudget({ budgetMs: 0, clock: () => 0 })
  budget.spent(100, 0)
  assert.equal(budget.price(), Number.POSITIVE_INFINITY)
  assert.equal(budget.normalPrice(), Number.POSITIVE_INFINITY)
})

test('the backlog raises the price, a full one overloads, and half of one ends it', () => {
  const budget = createBudget({
    budgetMs: 1,
    clock: () => 0,
    fullBacklog: { posts: 100, oldestMs: 1_000 },
  })
  const after = (posts: number, oldestMs = 0) => {
    budget.waiting(posts, oldestMs)
    return { isRaised: budget.price() > budget.normalPrice(), isOverloaded: budget.isOverloaded() }
  }
  assert.deepEqual(after(20), { isRaised: false, isOverloaded: false })
  assert.deepEqual(after(60), { isRaised: true, isOverloaded: false })
  assert.deepEqual(after(101), { isRaised: true, isOverloaded: true })
  assert.deepEqual(after(60), { isRaised: true, isOverloaded: true })
  assert.deepEqual(after(50), { isRaised: true, isOverloaded: false })
  assert.deepEqual(after(0, 1_001), { isRaised: true, isOverloaded: true })
  assert.deepEqual(after(0), { isRaised: false, isOverloaded: false })
})

test('what is spent less because of the backlog lowers no price', () => {
  const budget = createBudget({ budgetMs: 1, clock: () => 0 })
  const before = budget.normalPrice()
  budget.waiting(1_000_000, 0)
  for (let i = 0; i < 100; i++) budget.spent(100, 1)
  assert.equal(budget.normalPrice(), before)
})

test('a backlog that nobody speaks of any more does not overload for ever', () => {
  let now = 0
  const budget = createBudget({ budgetMs: 1, clock: () => now })
  budget.waiting(1_000_000, 0)
  assert.equal(budget.isOverloaded(), true)
  assert.equal(budget.price(), Number.POSITIVE_INFINITY)
  now += 120_000
  assert.equal(budget.isOverloaded(), false)
  assert.equal(budget.price(), budget.normalPrice())
})

/** Seconds of a queue before one core: arrivals, then batches until the second is used up. */
function playLoad(seed: number, loads: readonly { seconds: number; postsPerSecond: number }[]) {
  const random = seededRandom(seed)
  let now = 0
  const queue: number[] = []
  const budget = createBudget({ budgetMs: 1, clock: () => now })
  const seconds: { ms: number; posts: number; waiting: number; isOverloaded: boolean }[] = []
  for (const { seconds: length, postsPerSecond } of loads)
    for (let second = 0; second < length; second++) {
      for (let i = 0; i < postsPerSecond; i++) queue.push(now)
      let [used, posts, isOverloaded] = [0, 0, false]
      while (queue.length > 0 && used < 1_000) {
        budget.waiting(queue.length, now - (queue[0] ?? now))
        isOverloaded ||= budget.isOverloaded()
        const batch = queue.splice(0, 100).length
        used += spentOn(batch, () => random() ** 4 / 2, budget)
        posts += batch
      }
      now += 1_000
      seconds.push({
        ms: used,
        posts,
        waiting: queue.length,
        isOverloaded,
      })
    }
  return seconds
}

test('ten times the load is shed to the cheap experts, and soon after it all is as before', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const seconds = playLoad(seed, [
        { seconds: 30, postsPerSecond: 900 },
        { seconds: 30, postsPerSecond: 9_000 },
        { seconds: 30, postsPerSecond: 900 },
      ])
      const [before, during, after] = [
        seconds.slice(15, 30),
        seconds.slice(30, 60),
        seconds.slice(65),
      ]
      const average = (part: typeof seconds) =>
        part.reduce((sum, { ms }) => sum + ms, 0) / part.reduce((sum, { posts }) => sum + posts, 0)
      assert.ok(during.some(({ isOverloaded }) => isOverloaded))
      assert.ok(Math.max(...during.map(({ waiting }) => waiting)) < 15_000, 'the queue has an end')
      assert.ok(after.every(({ isOverloaded, waiting }) => !isOverloaded && waiting < 900))
      assert.ok(Math.abs(average(after) / average(before) - 1) < 0.15, `${average(after)}`)
    }),
    { numRuns: 4 },
  )
})
