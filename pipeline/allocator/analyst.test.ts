import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import fc from 'fast-check'
import { silentLogger as logger } from '../../infra/logger.ts'
import { topicLabels } from '../contract.ts'
import { guarded } from '../experts/breaker.ts'
import { type Expert, type ExpertOutput, isLethal, type Lethal } from '../experts/expert.ts'
import { createLexiconExpert, readLexicon } from '../experts/lexicon.ts'
import { createLinearExpert, readLinear } from '../experts/linear.ts'
import { type Analyst, type AnalystDeps, createAnalyst, type JudgedPost } from './analyst.ts'
import { createCalibration, readFusion } from './calibration.ts'
import type { Judgement } from './judgement.ts'
import { createStaticAllocator, type StaticWeights } from './static.ts'

const position = { logTopic: 'posts@0', partition: 0, offset: 7 }

function post(text: string, kind: JudgedPost['kind'] = 'news', title = ''): JudgedPost {
  return { source: 'desk', kind, language: 'en', text, title, position }
}

const weights: StaticWeights = {
  news: { linear: 0.75, lexicon: 0.25 },
  comment: { linear: 0.5, lexicon: 0.5 },
}

function analystOf(
  experts: readonly Expert[],
  failures: string[] = [],
  answered: string[] = [],
  options: Partial<AnalystDeps> = {},
): Analyst {
  return createAnalyst({
    experts,
    allocator: createStaticAllocator({ weights, experts }),
    calibration: createCalibration([]),
    referenceWeights: { news: { linear: 1, lexicon: 0 }, comment: { linear: 1, lexicon: 0 } },
    onExpertFailure: (expert, error) =>
      failures.push(`${expert}: ${error instanceof Error ? error.message : error}`),
    onExpertAnswer: (expert) => answered.push(expert),
    ...options,
  })
}

const flatTopic = topicLabels.map(() => 1 / topicLabels.length)

function expert(name: string, output: ExpertOutput | Error): Expert {
  return {
    name,
    version: `${name}-1`,
    tasks: name === 'linear' ? ['sentiment', 'topic'] : ['sentiment'],
    classify: async (batch) => {
      if (output instanceof Error) throw output
      return batch.map(() => output)
    },
    close: async () => {},
  }
}

const linear = expert('linear', { sentiment: [0.8, 0.2, 0], topic: flatTopic })
const lexicon = expert('lexicon', { sentiment: [0.4, 0.4, 0.2] })

function judged(found: Judgement | Lethal | undefined): Judgement {
  assert.ok(found !== undefined && !isLethal(found))
  return found
}

async function only(analyst: Analyst, input: JudgedPost): Promise<Judgement> {
  return judged((await analyst.judge([input]))[0])
}

test('experts are averaged by their weights, and the columns say who said what', async () => {
  const found = await only(analystOf([linear, lexicon]), post('text'))
  const round = (value: number) => Math.round(value * 1e6) / 1e6
  assert.deepEqual([found.negative, found.neutral, found.positive].map(round), [0.7, 0.25, 0.05])
  assert.equal(round(found.score), -0.65)
  assert.equal(round(found.reference_score), -0.8)
  assert.equal(round(found.confidence), 0.7)
  assert.deepEqual(found['experts.name'], ['linear', 'linear', 'lexicon'])
  assert.deepEqual(found['experts.version'], ['linear-1', 'linear-1', 'lexicon-1'])
  assert.deepEqual(found['experts.task'], ['sentiment', 'topic', 'sentiment'])
  assert.deepEqual(found['experts.weight'], [0.75, 1, 0.25])
  assert.deepEqual(found['experts.ran'], [true, true, true])
  assert.deepEqual(found['experts.run_probability'], [1, 1, 1])
  assert.deepEqual(found['experts.probabilities'][2], [0.4, 0.4, 0.2].map(Math.fround))
  assert.equal(found.degraded, false)
  assert.equal(found.weights_version, -1)
})

const failing = [
  { name: 'an expert that throws', broken: expert('lexicon', new Error('out of memory')) },
  { name: 'NaN for an answer', broken: expert('lexicon', { sentiment: [Number.NaN, 0.5, 0.5] }) },
  { name: 'too few labels', broken: expert('lexicon', { sentiment: [0.5, 0.5] }) },
  { name: 'what does not sum to 1', broken: expert('lexicon', { sentiment: [0.5, 0.5, 0.5] }) },
  {
    name: 'fewer answers than texts',
    broken: { ...expert('lexicon', {}), classify: async () => [] },
  },
]

for (const { name, broken } of failing)
  test(`${name} is left out, and the row is degraded`, async () => {
    const failures: string[] = []
    const found = await only(
      analystOf([linear, guarded(broken, { logger })], failures),
      post('text'),
    )
    assert.equal(Math.round(found.negative * 1e6) / 1e6, 0.8)
    assert.deepEqual(found['experts.ran'], [true, true, false])
    assert.deepEqual(found['experts.weight'], [1, 1, 0])
    assert.deepEqual(found['experts.probabilities'][2], [])
    assert.equal(found.degraded, true)
    assert.equal(failures.length, 1)
  })

test('a text that one expert calls lethal is not judged; the others of its batch are', async () => {
  const lethal = { lethal: 'its worker ended twice' }
  const careful: Expert = {
    ...expert('lexicon', {}),
    classify: async (batch) =>
      batch.map(({ text }) => (text === 'poison' ? lethal : { sentiment: [0.4, 0.4, 0.2] })),
  }
  const failures: string[] = []
  const batch = [post('before'), post('poison'), post('after')]
  const [before, poison, after] = await analystOf([linear, careful], failures).judge(batch)
  assert.deepEqual(poison, lethal)
  assert.deepEqual([judged(before).degraded, judged(after).degraded], [false, false])
  assert.deepEqual(failures, [])
})

test('every expert is told how urgent the call is, and who answered is named', async () => {
  const call = { priority: 'history', withinMs: 7 } as const
  const heard: unknown[] = []
  const listening: Expert = {
    ...linear,
    classify: (batch, how) => {
      heard.push(how)
      return linear.classify(batch)
    },
  }
  const failures: string[] = []
  const answered: string[] = []
  await analystOf([listening, expert('lexicon', new Error('down'))], failures, answered).judge(
    [post('text')],
    call,
  )
  assert.deepEqual(heard, [call])
  assert.deepEqual(answered, ['linear'])
  assert.deepEqual(failures, ['lexicon: down'])
})

test('without the expert on topics the topic is empty', async () => {
  const found = await only(analystOf([expert('linear', new Error('down')), lexicon]), post('text'))
  assert.equal(found.topic, '')
  assert.deepEqual(found.topic_probabilities, [])
  assert.equal(Math.round(found.negative * 1e6) / 1e6, 0.4)
})

test('with every expert down the batch is refused, and worth a retry', async () => {
  const down = ['linear', 'lexicon'].map((name) => expert(name, new Error('down')))
  await assert.rejects(analystOf(down).judge([post('text')]), {
    code: 'NO_EXPERT',
    retryable: true,
  })
})

describe('a shadow', () => {
  const poisonous: Expert = { ...expert('quiet', {}), classify: async () => [{ lethal: 'why' }] }
  const shadow = expert('quiet', { sentiment: [0, 0, 1] })

  /** Every post is listened to by `quiet`, at 10%. */
  function listeningAnalyst(quiet: Expert, options: Partial<AnalystDeps> = {}): Analyst {
    const experts = [linear, lexicon]
    const allocator = createStaticAllocator({ weights, experts })
    return createAnalyst({
      experts: [...experts, quiet],
      allocator: {
        plan(context) {
          const plan = allocator.plan(context)
          return {
            ...plan,
            shadows: ['quiet'],
            runProbability: (name, heard) =>
              name === 'quiet' ? 0.1 : plan.runProbability(name, heard),
          }
        },
      },
      calibration: createCalibration([]),
      referenceWeights: weights,
      onExpertFailure: (name) => assert.fail(`${name} is a matter of nobody`),
      ...options,
    })
  }

  const shadowOf = (found: Judgement) => ({
    ran: found['experts.ran'].at(-1),
    shadow: found['experts.shadow'],
    weight: found['experts.weight'].at(-1),
    runProbability: found['experts.run_probability'].at(-1),
    probabilities: found['experts.probabilities'].at(-1),
  })
  const listenedTo = {
    ran: true,
    shadow: [false, false, false, true],
    weight: 0,
    runProbability: Math.fround(0.1),
    probabilities: [0, 0, 1],
  }
  const unheard = { ...listenedTo, ran: false, probabilities: [] }

  it('stands in the row and changes nothing else of it', async () => {
    const [with_, without] = [
      await only(listeningAnalyst(shadow), post('text')),
      await only(analystOf([linear, lexicon]), post('text')),
    ]
    assert.deepEqual(shadowOf(with_), listenedTo)
    const { negative, score, degraded, topic_probabilities } = without
    assert.deepEqual(
      [with_.negative, with_.score, with_.degraded, with_.topic_probabilities],
      [negative, score, degraded, topic_probabilities],
    )
    assert.deepEqual(with_['experts.weight'].slice(0, 3), without['experts.weight'])
  })

  const broken: readonly { name: string; quiet: Expert }[] = [
    { name: 'fails', quiet: expert('quiet', new Error('down')) },
    { name: 'calls the text lethal', quiet: poisonous },
    { name: 'never answers', quiet: { ...shadow, classify: () => new Promise(() => {}) } },
  ]
  for (const { name, quiet } of broken)
    it(`that ${name} did not run, and the row is whole`, async () => {
      const found = await only(listeningAnalyst(quiet), post('text'))
      assert.deepEqual(shadowOf(found), unheard)
      assert.equal(found.degraded, false)
    })

  it('is waited for where the turn has the time, and asked as if for history', async () => {
    let answerNow: () => void = () => {}
    const heard: unknown[] = []
    const slow: Expert = {
      ...shadow,
      classify: async (batch, call) => {
        heard.push(call)
        await new Promise<void>((resolve) => (answerNow = resolve))
        return shadow.classify(batch)
      },
    }
    const analyst = listeningAnalyst(slow, { shadowWaitMs: () => 600_000 })
    const judging = analyst.judge([post('text')], { priority: 'live', withinMs: 7 })
    answerNow()
    assert.deepEqual(shadowOf(judged((await judging)[0])), listenedTo)
    assert.deepEqual(heard, [{ priority: 'history', withinMs: 7 }])
  })
})

test('who ran costs what its run is estimated to cost on the text, the same for each task', async () => {
  const analyst = analystOf([linear, expert('lexicon', new Error('down'))], [], [], {
    costs: { msOf: (name, length) => (name === 'linear' ? length / 10 : 5) },
  })
  const found = await only(analyst, post('12', 'news', '3'))
  assert.deepEqual(found['experts.cost_ms'], [Math.fround(0.3), Math.fround(0.3), 0])
})

const fusion = readFusion()
const experts = [createLinearExpert(readLinear()), createLexiconExpert(readLexicon())]
const real = createAnalyst({
  experts,
  allocator: createStaticAllocator({ weights: fusion.reference_weights, experts }),
  calibration: createCalibration(fusion.temperatures),
  referenceWeights: fusion.reference_weights,
  onExpertFailure: (_, error) => {
    throw error
  },
})

test('an empty batch has no judgements', async () => {
  assert.deepEqual(await real.judge([]), [])
})

const plain = [
  { name: 'a fall', text: 'Facebook shares plunge as advertisers boycott', sign: -1 },
  { name: 'a rise', text: 'Apple shares jump after earnings beat estimates', sign: 1 },
]

for (const { name, text, sign } of plain)
  test(`${name} has its sign`, async () => {
    assert.equal(Math.sign((await only(real, post(text))).score), sign)
  })

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\ud800',
    '\udc00 falls',
    '🚀'.repeat(200),
    'https://t.co/x',
    '&amp;amp;',
    '\u202egnp.exe',
    '\u200b\u200d',
    '__proto__ constructor',
    'A'.repeat(20_000),
    `${'A'.repeat(1_999)}a`,
    'not '.repeat(5_000),
  ),
)
const posts = fc.array(
  fc.record({
    kind: fc.constantFrom('news' as const, 'comment' as const),
    text: texts,
    title: fc.oneof(fc.constant(''), texts),
  }),
  { minLength: 1, maxLength: 8 },
)

test('any text has distributions, the same alone, in a batch and in another order', async () => {
  await fc.assert(
    fc.asyncProperty(posts, async (batch) => {
      const input = batch.map(({ kind, text, title }) => post(text, kind, title))
      const together = (await real.judge(input)).map(judged)
      for (const { negative, neutral, positive, topic_probabilities, score } of together) {
        for (const vector of [[negative, neutral, positive], topic_probabilities]) {
          assert.ok(vector.every((p) => p >= 0 && p <= 1))
          assert.ok(Math.abs(vector.reduce((a, b) => a + b, 0) - 1) < 1e-9)
        }
        assert.ok(score >= -1 && score <= 1)
      }
      const alone = await Promise.all(input.map((one) => only(real, one)))
      assert.deepEqual(alone, together)
      assert.deepEqual(await real.judge(input.toReversed()), together.toReversed())
    }),
    { numRuns: 60 },
  )
})
