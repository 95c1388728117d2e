import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCalibration } from '../allocator/calibration.ts'
import type { ServedFusion } from '../allocator/served-fusion.ts'
import { createStacking } from '../allocator/stacking.ts'
import { validationText } from './fit-text.ts'
import { contextsOf, fewestClusters, fitWeightsFile } from './fit-weights-file.ts'
import { simulatedRows } from './judged.fixture.ts'

const configured = { news: { true: 0.5, loud: 0.5, other: 1 }, comment: { noise: 1, other: 1 } }
const served: ServedFusion = {
  weights: configured,
  topicWeights: configured,
  calibration: createCalibration([]),
  stacking: createStacking([]),
  referenceWeights: configured,
}
const experts = ['loud', 'noise', 'true']
const news = simulatedRows(150)
const fewComments = simulatedRows(fewestClusters - 1, 'comment')

test('a task and kind with few texts is left as it is configured, but for strangers', () => {
  const { enough, tooFew } = contextsOf([...news, ...fewComments])
  assert.deepEqual(
    [enough, tooFew].map((contexts) => contexts.map(({ kind, clusters }) => [kind, clusters])),
    [[['news', 150]], [['comment', 49]]],
  )
  const { weights, temperatures, stacking } = fitWeightsFile(enough, 'gradient', experts, served)
  assert.deepEqual(weights.sentiment.comment, { noise: 1 })
  assert.deepEqual(weights.topic, { news: { true: 0.5, loud: 0.5 }, comment: { noise: 1 } })
  assert.deepEqual(Object.keys(weights.sentiment.news), experts)
  assert.deepEqual(new Set(temperatures.map(({ kind }) => kind)), new Set(['', 'news']))
  assert.equal(stacking.length, 7)
})

test('repeats of a text are no further evidence', () => {
  const repeats = simulatedRows(200).map((row) => ({ ...row, cluster: row.cluster % 10 }))
  assert.deepEqual(contextsOf(repeats).enough, [])
})

test('the figures are of held-out rows, beside what there was and the best expert', () => {
  const { enough } = contextsOf(news)
  const [figures, ...others] = fitWeightsFile(enough, 'gradient', experts, served).figures
  assert.ok(figures)
  assert.deepEqual(others, [])
  assert.deepEqual(Object.keys(figures.judges), [
    'fitted (gradient)',
    'average as configured',
    'best expert (true)',
  ])
  const { logLoss } = figures.differences['average as configured'] ?? {}
  const [fitted, before] = Object.values(figures.judges).map((judge) => judge.logLoss.value)
  assert.equal(logLoss?.value, (fitted ?? 0) - (before ?? 0))
  assert.ok(logLoss && logLoss.interval[0] <= logLoss.value && logLoss.value <= logLoss.interval[1])
  const text = validationText([figures])
  assert.match(text, /^sentiment, news: 150 rows in 150 clusters of near-duplicates, out of fold\n/)
  assert.ok(text.includes('fitted (gradient) less\n'))
})
