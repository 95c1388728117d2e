import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hedge, type Losses, type Weights } from './hedge.ts'
import {
  bestSwitching,
  delayCost,
  type Game,
  play,
  regretBound,
  seededGame,
} from './regret.fixture.ts'

const seeds = Array.from({ length: 1_000 }, (_, seed) => seed)
const switches = 6
const tolerance = 1e-9

/** Seeds whose game the learner loses by more than is proven. */
function overBound(excess: (seed: number) => number, among = seeds): number[] {
  return among.filter((seed) => excess(seed) > tolerance)
}

test('without share its regret is within the bound of Hedge against the best expert', () => {
  const losers = overBound((seed) => {
    const seeded = seededGame(seed)
    const game: Game = { ...seeded, rates: { ...seeded.rates, share: 0 } }
    const { losses, learner } = play(game)
    const [best = 0] = bestSwitching(losses, 0)
    return learner - best - regretBound(game, 0)
  })
  assert.deepEqual(losers, [])
})

test('with share it is within the bound against the best sequence of each number of switches', () => {
  const losers = overBound((seed) => {
    const game = seededGame(seed)
    const { losses, learner } = play(game)
    const excesses = bestSwitching(losses, switches).map(
      (best, k) => learner - best - regretBound(game, k),
    )
    return Math.max(...excesses)
  })
  assert.deepEqual(losers, [])
})

test('with labels that come late and out of order it is within the bound of delayed feedback', () => {
  let overtaken = 0
  const losers = overBound((seed) => {
    const game = seededGame(seed, seed % 40)
    const played = play(game)
    overtaken += played.overtaken
    const [best = 0] = bestSwitching(played.losses, 0)
    return played.learner - best - regretBound(game, 0) - delayCost(game, played)
  })
  assert.deepEqual(losers, [])
  assert.ok(overtaken > 0)
})

const broken: readonly { readonly name: string; readonly learn: typeof hedge }[] = [
  { name: 'never learns', learn: (weights) => weights },
  {
    name: 'learns the wrong way round',
    learn: (weights, losses, rates) =>
      hedge(
        weights,
        losses.map((loss) => 1 - (loss ?? 0)),
        rates,
      ),
  },
  {
    name: 'never shares',
    learn: (weights, losses, rates) => hedge(weights, losses, { ...rates, share: 0 }),
  },
  {
    name: 'learns half as fast',
    learn: (weights, losses, { eta, share }) => hedge(weights, losses, { eta: eta / 2, share }),
  },
]

for (const { name, learn } of broken)
  test(`one that ${name} does not keep the bounds`, () => {
    const losers = overBound(
      (seed) => {
        const game = seededGame(seed)
        const { losses, learner } = play(game, learn)
        return Math.max(
          ...bestSwitching(losses, switches).map(
            (best, k) => learner - best - regretBound(game, k),
          ),
        )
      },
      seeds.slice(0, 100),
    )
    assert.ok(losers.length > 0)
  })

const steps: readonly {
  readonly name: string
  readonly input: readonly [Weights, Losses]
  readonly expected: Weights
}[] = [
  {
    name: 'the better one gains',
    input: [
      [0.5, 0.5],
      [0, 1],
    ],
    expected: [2 / 3, 1 / 3],
  },
  {
    name: 'equal losses change nothing',
    input: [
      [0.3, 0.7],
      [1, 1],
    ],
    expected: [0.3, 0.7],
  },
  {
    name: 'all asleep',
    input: [
      [0.3, 0.7],
      [undefined, undefined],
    ],
    expected: [0.3, 0.7],
  },
  {
    name: 'one awake',
    input: [
      [0.3, 0.7],
      [1, undefined],
    ],
    expected: [0.3, 0.7],
  },
  {
    name: 'one asleep',
    input: [
      [0.4, 0.4, 0.2],
      [0, 1, undefined],
    ],
    expected: [1.6 / 3, 0.8 / 3, 0.2],
  },
  {
    name: 'weight 0 alone awake',
    input: [
      [0, 1],
      [0, undefined],
    ],
    expected: [0, 1],
  },
]

for (const { name, input, expected } of steps)
  test(`a step without share: ${name}`, () => {
    const weights = hedge(...input, { eta: Math.log(2), share: 0 })
    weights.forEach((weight, i) => {
      assert.ok(Math.abs(weight - (expected[i] ?? 0)) < 1e-12, `${weights}`)
    })
  })

test('who is awake divides what they had, and each gets its part of the share', () => {
  const expert = fc.record({
    weight: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    loss: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  })
  const rates = fc.record({
    eta: fc.double({ min: 0, max: 5, noNaN: true }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(
      fc.array(expert, { minLength: 1, maxLength: 6 }),
      rates,
      (experts, { eta, share }) => {
        const sum = experts.reduce((total, { weight }) => total + weight, 0)
        const before = experts.map(({ weight }) => weight / sum)
        const losses = experts.map(({ loss }) => loss)
        const after = hedge(before, losses, { eta, share })
        const awake = losses.flatMap((loss, i) => (loss === undefined ? [] : [i]))
        const of = (weights: Weights) => awake.reduce((total, i) => total + (weights[i] ?? 0), 0)
        assert.ok(Math.abs(of(after) - of(before)) < 1e-9)
        after.forEach((weight, i) => {
          if (!awake.includes(i)) assert.equal(weight, before[i])
          else assert.ok(weight >= (of(before) * share) / awake.length - 1e-12)
        })
      },
    ),
  )
})
