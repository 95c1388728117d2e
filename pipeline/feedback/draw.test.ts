import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { DrawPosition } from '../../infra/position-draw.ts'
import { seededRandom } from '../../infra/seeded-random.ts'
import { distributions } from '../testing/distributions.ts'
import {
  drawLabel,
  informativeness,
  type Judged,
  type LabelRates,
  meanInformativeness,
  probabilities,
} from './draw.ts'

const rates: LabelRates = { share: 0.1, uniformShare: 0.3 }
const live = { kind: 'news' } as const

function judged(opinions: readonly (readonly number[])[], confidence = 0.6): Judged {
  return {
    confidence,
    'experts.task': opinions.map(() => 'sentiment'),
    'experts.probabilities': opinions.map((opinion) => [...opinion]),
    'experts.ran': opinions.map(() => true),
    'experts.shadow': opinions.map(() => false),
  }
}

const judgements = fc
  .tuple(
    fc.array(distributions(3), { maxLength: 4 }),
    fc.double({ min: 1 / 3, max: 1, noNaN: true }),
  )
  .map(([opinions, confidence]) => judged(opinions, confidence))
const shares = fc.double({ min: 0, max: 1, noNaN: true })
const positions: fc.Arbitrary<DrawPosition> = fc.record({
  logTopic: fc.constant('posts@0'),
  partition: fc.nat(15),
  offset: fc.nat(),
})

describe('informativeness', () => {
  const cases = [
    {
      name: 'sure and agreed',
      input: judged(
        [
          [0, 0, 1],
          [0, 0, 1],
        ],
        1,
      ),
      expected: 0,
    },
    { name: 'at a loss and agreed', input: judged([[1 / 3, 1 / 3, 1 / 3]], 1 / 3), expected: 0.5 },
    {
      name: 'each for another label',
      input: judged(
        [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ],
        1 / 3,
      ),
      expected: 1,
    },
    {
      name: 'a shadow has no say',
      input: {
        ...judged(
          [
            [1, 0, 0],
            [0, 0, 1],
          ],
          1,
        ),
        'experts.shadow': [false, true],
      },
      expected: 0,
    },
    {
      name: 'nor who did not run',
      input: { ...judged([[1, 0, 0], []], 1), 'experts.ran': [true, false] },
      expected: 0,
    },
    {
      name: 'nor another task',
      input: {
        ...judged(
          [
            [1, 0, 0],
            [0, 0, 1],
          ],
          1,
        ),
        'experts.task': ['sentiment', 'topic'],
      },
      expected: 0,
    },
  ]
  for (const { name, input, expected } of cases)
    it(name, () => assert.ok(Math.abs(informativeness(input) - expected) < 1e-6))

  it('lies between 0 and 1', () =>
    fc.assert(
      fc.property(judgements, (input) => {
        const value = informativeness(input)
        assert.ok(value >= 0 && value <= 1, String(value))
      }),
    ))
})

describe('the label draw', () => {
  it('has probabilities of one random number: uniform inside queue, both 32 bits', () =>
    fc.assert(
      fc.property(judgements, shares, shares, (input, share, uniformShare) => {
        const { uniform, queue } = probabilities({ share, uniformShare }, 'news', input)
        assert.ok(uniform >= 0 && uniform <= queue && queue <= 1)
        assert.deepEqual([uniform, queue].map(Math.fround), [uniform, queue])
      }),
    ))

  it('is the same again, and carries the probability of standing in the queue', () =>
    fc.assert(
      fc.property(judgements, positions, (input, position) => {
        const drawn = drawLabel(rates, live, input, position)
        assert.deepEqual(drawLabel(rates, live, input, position), drawn)
        assert.equal(
          drawn.label_probability,
          drawn.label_draw === '' ? 0 : probabilities(rates, 'news', input).queue,
        )
      }),
    ))

  it('leaves history out', () =>
    assert.deepEqual(
      drawLabel({ share: 1, uniformShare: 1 }, { ...live, history: true }, judged([]), {
        logTopic: 'posts@0',
        partition: 0,
        offset: 0,
      }),
      { label_draw: '', label_probability: 0 },
    ))

  it('takes everything at share 1 and nothing at share 0', () =>
    fc.assert(
      fc.property(judgements, positions, (input, position) => {
        const all = drawLabel({ share: 1, uniformShare: 1 }, live, input, position)
        assert.deepEqual(all, { label_draw: 'uniform', label_probability: 1 })
        const none = drawLabel({ share: 0, uniformShare: 0.3 }, live, input, position)
        assert.equal(none.label_draw, '')
      }),
    ))
})

/** Posts of two sorts, the rarer of which is hard and more often judged wrongly. */
function stream(posts: number): { input: Judged; wrong: boolean }[] {
  const random = seededRandom(1)
  const hard = judged(
    [
      [0.5, 0.1, 0.4],
      [0.1, 0.2, 0.7],
    ],
    0.45,
  )
  const easy = judged(
    [
      [0.02, 0.03, 0.95],
      [0.05, 0.05, 0.9],
    ],
    0.94,
  )
  return Array.from({ length: posts }, () => {
    const isHard = random() < 0.2
    return { input: isHard ? hard : easy, wrong: random() < (isHard ? 0.5 : 0.05) }
  })
}

describe('over many positions', () => {
  const posts = stream(60_000)
  const draws = posts.map(({ input }, offset) =>
    drawLabel(rates, live, input, { logTopic: 'posts@0', partition: 0, offset }),
  )

  /** Expected count and standard deviation of a sum of independent draws. */
  const within = (count: number, chances: readonly number[]) => {
    const expected = chances.reduce((sum, p) => sum + p, 0)
    const deviation = Math.sqrt(chances.reduce((sum, p) => sum + p * (1 - p), 0))
    assert.ok(Math.abs(count - expected) < 4 * deviation, `${count}, expected ${expected}`)
  }

  for (const sort of [true, false])
    it(`the shares are the probabilities, of posts that are ${sort ? 'hard' : 'easy'}`, () => {
      const chosen = posts.flatMap(({ input }, i) =>
        input.confidence < 0.5 === sort ? [{ input, draw: draws[i]?.label_draw }] : [],
      )
      const chances = chosen.map(({ input }) => probabilities(rates, 'news', input))
      const count = (...of: string[]) => chosen.filter(({ draw }) => of.includes(draw ?? '')).length
      within(
        count('uniform'),
        chances.map(({ uniform }) => uniform),
      )
      within(
        count('uniform', 'informative'),
        chances.map(({ queue }) => queue),
      )
    })

  it('the expected share is the configured one where the posts are as informative as those it was fitted on', () => {
    const input = judged([], 1 - (meanInformativeness.news * 2 * 2) / 3)
    assert.ok(Math.abs(probabilities(rates, 'news', input).queue - rates.share) < 1e-6)
  })

  it('inverse probability gives the truth of the stream, the plain mean of the queue does not', () => {
    const truth = posts.filter(({ wrong }) => wrong).length / posts.length
    const queue = posts.flatMap(({ wrong }, i) => {
      const { label_draw = '', label_probability = 0 } = draws[i] ?? {}
      return label_draw === '' ? [] : [{ wrong: Number(wrong), weight: 1 / label_probability }]
    })
    const total = queue.reduce((sum, { weight }) => sum + weight, 0)
    const ratio = queue.reduce((sum, { wrong, weight }) => sum + wrong * weight, 0) / total
    const squares = queue.reduce(
      (sum, { wrong, weight }) => sum + (weight * (wrong - ratio)) ** 2,
      0,
    )
    assert.ok(Math.abs(ratio - truth) < (4 * Math.sqrt(squares)) / total)
    const plain = queue.reduce((sum, { wrong }) => sum + wrong, 0) / queue.length
    assert.ok(plain > truth + 0.05, `${plain} against ${truth}`)
  })
})
