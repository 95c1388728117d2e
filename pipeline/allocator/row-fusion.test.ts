/** What a row says of its fusion, and that whoever repeats it from the row gets the same digits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fusionMethods, topicLabels } from '../contract.ts'
import { type Expert, isLethal } from '../experts/expert.ts'
import { distributions } from '../testing/distributions.ts'
import { createAnalyst } from './analyst.ts'
import { createCalibration, type FusionTemperature, tempered } from './calibration.ts'
import { fuse } from './fusion.ts'
import { createStacking } from './stacking.ts'
import { createStaticAllocator } from './static.ts'

const stacking = createStacking([
  {
    task: 'sentiment',
    kind: 'news',
    weights: { lexicon: [0.31, 0.42, 0.53], linear: [1.01, 0.92, 0.83] },
    biases: [0.1, 0, -0.1],
    penalty: 1,
    rows: 1,
  },
])
const temperatures = fusionMethods.map(
  (method, i): FusionTemperature => ({
    task: 'sentiment',
    kind: 'news',
    experts: '',
    method,
    temperature: 1.1 + i / 10,
    rows: 1,
  }),
)
const weights = { news: { linear: 0.7, lexicon: 0.3 }, comment: {} }

function saying(name: string, sentiment: readonly number[], topic?: readonly number[]): Expert {
  const output = { sentiment, ...(topic && { topic }) }
  return {
    name,
    version: '1',
    tasks: topic === undefined ? ['sentiment'] : ['sentiment', 'topic'],
    classify: async (batch) => batch.map(() => output),
    close: async () => {},
  }
}

async function rowOf(
  method: (typeof fusionMethods)[number],
  [linear, lexicon]: readonly [number[], number[]],
) {
  const topic = topicLabels.map(() => 1 / topicLabels.length)
  const experts = [saying('linear', linear, topic), saying('lexicon', lexicon)]
  const analyst = createAnalyst({
    experts,
    allocator: createStaticAllocator({ experts, weights, fusion: method }),
    calibration: createCalibration(temperatures),
    stacking,
    referenceWeights: weights,
    onExpertFailure: (_, error) => {
      throw error
    },
  })
  const [row] = await analyst.judge([
    {
      source: 'desk',
      kind: 'news',
      language: 'en',
      text: 'text',
      title: '',
      position: { logTopic: 'posts@0', partition: 0, offset: 0 },
    },
  ])
  assert.ok(row !== undefined && !isLethal(row))
  return row
}

for (const method of fusionMethods)
  test(`${method} can be repeated from the row, to the digit`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(distributions(3), distributions(3)), async (said) => {
        const row = await rowOf(method, said)
        const opinions = row['experts.name'].flatMap((expert, i) =>
          row['experts.task'][i] === 'sentiment'
            ? [
                {
                  expert,
                  weight: row['experts.weight'][i] ?? 0,
                  probabilities: row['experts.probabilities'][i] ?? [],
                },
              ]
            : [],
        )
        assert.equal(row.fusion, method)
        const context = { task: 'sentiment', kind: 'news', stacking } as const
        const { probabilities } = fuse(method, opinions, context)
        assert.deepEqual(tempered(probabilities, row.sentiment_temperature), [
          row.negative,
          row.neutral,
          row.positive,
        ])
      }),
      { numRuns: 30 },
    )
  })

test('the row says of each task what was done, not what was asked for', async () => {
  const row = await rowOf('stacking', [
    [0.6, 0.3, 0.1],
    [0.2, 0.3, 0.5],
  ])
  assert.deepEqual([row.fusion, row.topic_fusion], ['stacking', 'average'])
})

test('the reference score is that of the average, whatever the method', async () => {
  const said = [
    [0.6, 0.3, 0.1],
    [0.2, 0.3, 0.5],
  ] as const
  const scores = await Promise.all(
    fusionMethods.map(
      async (method) => (await rowOf(method, [[...said[0]], [...said[1]]])).reference_score,
    ),
  )
  assert.equal(new Set(scores).size, 1)
})
