import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { draw } from '../../infra/position-draw.ts'
import { sentiments, type Task, topicLabels } from '../contract.ts'
import type { ExpertOutput } from '../experts/expert.ts'
import { distributions } from '../testing/distributions.ts'
import type { AllocationContext, Heard, Plan } from './allocator.ts'
import { createDynamicAllocator, type DynamicDeps } from './dynamic.ts'
import type { Gains } from './gain.ts'

const experts = [
  { name: 'minilm', tasks: ['sentiment', 'topic'] },
  { name: 'linear', tasks: ['sentiment', 'topic'] },
  { name: 'lexicon', tasks: ['sentiment'] },
] as const
const costsMs: Readonly<Record<string, number>> = { minilm: 2, linear: 0.1, lexicon: 0.3 }

const certain: ExpertOutput = {
  sentiment: [0.99, 0.01, 0],
  topic: peaked(topicLabels.length, 0.99),
}
const unsure: ExpertOutput = {
  sentiment: [0.4, 0.35, 0.25],
  topic: peaked(topicLabels.length, 0.1),
}

function peaked(labels: number, lead: number): number[] {
  return Array.from({ length: labels }, (_, i) => (1 - lead) / labels + (i === 0 ? lead : 0))
}

/** Gains of minilm fall with the margin from 0.2 to 0; the others' are small. */
const gains: Gains = {
  expected: ({ expert, margin }) =>
    expert === 'minilm' ? 0.2 * (1 - margin) : 0.01 * (1 - margin),
}

interface Prices {
  readonly price?: number
  readonly normalPrice?: number
  readonly isOverloaded?: boolean
}

function planOf(
  { price = 0.01, normalPrice = price, isOverloaded = false }: Prices = {},
  deps: Partial<DynamicDeps> = {},
  offset = 0,
): Plan {
  const weights = { minilm: 0.6, linear: 0.3, lexicon: 0.1 }
  const context: AllocationContext = {
    source: 'desk',
    kind: 'news',
    language: 'en',
    textLength: 100,
    position: { logTopic: 'posts@0', partition: 0, offset },
  }
  return createDynamicAllocator({
    experts,
    book: () => ({ version: 41, weights: () => weights }),
    costs: { msOf: (expert) => costsMs[expert] ?? 0 },
    budget: {
      price: () => (isOverloaded ? Number.POSITIVE_INFINITY : price),
      normalPrice: () => normalPrice,
      isOverloaded: () => isOverloaded,
      spent() {},
      waiting() {},
    },
    gains,
    exploreShare: 0,
    ...deps,
  }).plan(context)
}

type Answers = Readonly<Record<string, ExpertOutput | undefined>>

/** Asks as an analyst does; undefined stands for an expert that failed. */
function play(plan: Plan, answers: Answers): { heard: Heard; stages: string[][] } {
  const heard = new Map<string, ExpertOutput | undefined>()
  const stages: string[][] = []
  for (let next = plan.next(heard); next.length > 0; next = plan.next(heard)) {
    stages.push([...next])
    for (const expert of next) heard.set(expert, answers[expert])
  }
  return { heard, stages }
}

const all = (output: ExpertOutput): Answers => ({
  minilm: output,
  linear: output,
  lexicon: { sentiment: output.sentiment ?? [] },
})

const courses: { name: string; prices?: Prices; answers: Answers; stages: string[][] }[] = [
  { name: 'the cheapest alone where it is certain', answers: all(certain), stages: [['linear']] },
  {
    name: 'the encoder next where it is not',
    answers: all(unsure),
    stages: [['linear'], ['minilm'], ['lexicon']],
  },
  {
    name: 'not at a price above its gain',
    prices: { price: 0.5 },
    answers: all(unsure),
    stages: [['linear']],
  },
  {
    name: 'one task in doubt is enough',
    answers: { ...all(certain), linear: { ...certain, topic: peaked(topicLabels.length, 0.1) } },
    stages: [['linear'], ['minilm']],
  },
  {
    name: 'overloaded: the cheapest alone',
    prices: { isOverloaded: true },
    answers: all(unsure),
    stages: [['linear']],
  },
  {
    name: 'overloaded and the cheapest failed: the cheapest of the others',
    prices: { isOverloaded: true },
    answers: { ...all(unsure), linear: undefined },
    stages: [['linear'], ['lexicon']],
  },
  {
    name: 'all but the dearest failed: it too',
    prices: { price: Number.POSITIVE_INFINITY },
    answers: { minilm: unsure },
    stages: [['linear'], ['lexicon'], ['minilm']],
  },
]

for (const { name, prices, answers, stages } of courses)
  test(`a cascade asks ${name}`, () => {
    assert.deepEqual(play(planOf(prices), answers).stages, stages)
  })

test('a task that only a dearer expert judges has its cheapest in the first stage too', () => {
  const cheapLexicon = { msOf: (expert: string) => (expert === 'lexicon' ? 0.01 : 1) }
  const found = play(planOf({ price: 1 }, { costs: cheapLexicon }), all(certain))
  assert.deepEqual(
    found.stages.map((stage) => stage.toSorted()),
    [['lexicon', 'minilm']],
  )
})

test('a task of no weight is worth no run', () => {
  const answers = {
    ...all(certain),
    linear: { ...certain, topic: peaked(topicLabels.length, 0.1) },
  }
  const plan = planOf({}, { taskWeights: { sentiment: 1, topic: 0 } })
  assert.deepEqual(play(plan, answers).stages, [['linear']])
})

test('an expert whose weight cannot overturn the verdict is not asked', () => {
  const book = () => ({ version: 1, weights: () => ({ minilm: 0.1, linear: 0.8, lexicon: 0.1 }) })
  const answers = all({ ...unsure, sentiment: [0.5, 0.3, 0.2], topic: certain.topic ?? [] })
  assert.deepEqual(play(planOf({ price: 0 }, { book }), answers).stages, [['linear']])
  const vote = play(planOf({ price: 0 }, { book, fusion: 'vote' }), answers)
  assert.equal(vote.heard.size, 3, 'a bound of the average alone')
})

test('where the draw falls all run at once, with the share as the probability of those that it alone asked', () => {
  const exploreShare = 0.3
  for (let offset = 0; offset < 50; offset++) {
    const plan = planOf({}, { exploreShare }, offset)
    const drawn = draw('explore', { logTopic: 'posts@0', partition: 0, offset }) < exploreShare
    const { heard, stages } = play(plan, all(certain))
    assert.deepEqual(stages, drawn ? [['minilm', 'linear', 'lexicon']] : [['linear']])
    const probabilities = experts.map(({ name }) => plan.runProbability(name, heard))
    assert.deepEqual(probabilities, [exploreShare, 1, exploreShare])
  }
})

test('nobody explores under overload, nor with a budget of 0', () => {
  for (const prices of [{ isOverloaded: true }, { price: Number.POSITIVE_INFINITY }]) {
    const plan = planOf(prices, { exploreShare: 1 })
    const { heard, stages } = play(plan, all(unsure))
    assert.deepEqual(stages, [['linear']])
    assert.equal(plan.runProbability('minilm', heard), 0)
  }
})

const degradations: { name: string; prices: Prices; answers: Answers; degraded: boolean }[] = [
  {
    name: 'overload shed what the budget pays',
    prices: { isOverloaded: true },
    answers: all(unsure),
    degraded: true,
  },
  {
    name: 'overload shed nothing',
    prices: { isOverloaded: true },
    answers: all(certain),
    degraded: false,
  },
  {
    name: 'the backlog made it too dear',
    prices: { price: 1, normalPrice: 0.01 },
    answers: all(unsure),
    degraded: true,
  },
  {
    name: 'the budget does not pay it',
    prices: { price: 1 },
    answers: all(unsure),
    degraded: false,
  },
  {
    name: 'a budget of 0',
    prices: { price: Number.POSITIVE_INFINITY },
    answers: all(unsure),
    degraded: false,
  },
  {
    name: 'all were asked',
    prices: { price: 0.02, normalPrice: 0.01 },
    answers: all(unsure),
    degraded: false,
  },
]

for (const { name, prices, answers, degraded } of degradations)
  test(`degraded: ${degraded ? 'yes' : 'no'}, ${name}`, () => {
    const plan = planOf(prices)
    assert.equal(plan.isDegraded(play(plan, answers).heard), degraded)
  })

const outputs = fc.record({
  minilm: fc.option(bothTasks(), { nil: undefined }),
  linear: fc.option(bothTasks(), { nil: undefined }),
  lexicon: fc.option(
    distributions(sentiments.length).map((sentiment): ExpertOutput => ({ sentiment })),
    { nil: undefined },
  ),
})

function bothTasks(): fc.Arbitrary<ExpertOutput> {
  return fc.record({
    sentiment: distributions(sentiments.length),
    topic: distributions(topicLabels.length),
  })
}

const anyPrice = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constant(Number.POSITIVE_INFINITY),
)

test('every course ends, asks nobody twice, and ends without a word on sentiment only when all have failed', () => {
  const share = fc.constantFrom(0, 0.5, 1)
  fc.assert(
    fc.property(
      outputs,
      anyPrice,
      share,
      fc.boolean(),
      fc.nat(1000),
      (answers, price, exploreShare, isOverloaded, offset) => {
        const plan = planOf({ price, isOverloaded }, { exploreShare }, offset)
        const { heard, stages } = play(plan, answers)
        assert.equal(stages.flat().length, new Set(stages.flat()).size)
        const isHeard = [...heard.values()].some((answer) => answer?.sentiment !== undefined)
        assert.ok(isHeard || heard.size === experts.length)
        for (const [expert] of heard) {
          const probability = plan.runProbability(expert, heard)
          assert.ok(probability > 0 && probability <= 1)
        }
      },
    ),
  )
})

test('a higher price asks no more of them', () => {
  fc.assert(
    fc.property(
      outputs,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 1, max: 9, noNaN: true }),
      (answers, price, times) => {
        const two = { experts: experts.slice(0, 2) }
        const cheaper = play(planOf({ price }, two), answers).stages.flat()
        const dearer = play(planOf({ price: price * times }, two), answers).stages.flat()
        assert.ok(dearer.every((expert) => cheaper.includes(expert)))
      },
    ),
  )
})

test('a plan is of one version of the weights and one price, whatever changes while its post is judged', () => {
  let version = 1
  const weights = (task: Task) => ({
    minilm: version,
    linear: 1,
    lexicon: task === 'topic' ? 0 : 1,
  })
  const plan = planOf(
    {},
    {
      book: () => {
        const taken = version
        return { version: taken, weights: ({ task }) => ({ ...weights(task), minilm: taken }) }
      },
    },
  )
  version = 2
  assert.equal(plan.weightsVersion, 1)
  assert.equal(plan.weight('minilm', 'sentiment'), 1)
  assert.equal(plan.weight('nobody', 'sentiment'), 0)
  assert.deepEqual(
    [plan.strategy, plan.fusion, plan.experts],
    ['dynamic', 'average', ['minilm', 'linear', 'lexicon']],
  )
})
