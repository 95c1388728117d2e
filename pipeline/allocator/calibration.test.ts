import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadConfig } from '../../infra/config.ts'
import { argmax } from '../experts/probabilities.ts'
import { distributions } from '../testing/distributions.ts'
import { createCalibration, type FusionManifest, readFusion, tempered } from './calibration.ts'

const node = (
  kind: 'news' | 'comment' | '',
  experts: string,
  temperature: number,
): FusionManifest['temperatures'][number] => ({
  task: 'sentiment',
  kind,
  experts,
  temperature,
  rows: 1,
})

const calibration = createCalibration([
  node('', '', 2),
  node('news', '', 3),
  node('news', 'lexicon+linear', 4),
])
const input = [0.2, 0.3, 0.5]

const cases = [
  {
    name: 'the set of experts, in any order',
    kind: 'news',
    experts: ['linear', 'lexicon'],
    expected: 4,
  },
  { name: 'the kind, for a set never seen', kind: 'news', experts: ['linear'], expected: 3 },
  { name: 'the task, for a kind never seen', kind: 'comment', experts: ['linear'], expected: 2 },
] as const

for (const { name, kind, experts, expected } of cases)
  test(`the temperature is that of ${name}`, () => {
    const found = tempered(input, calibration.temperature({ task: 'sentiment', kind, experts }))
    assert.deepEqual(found, tempered(input, expected))
  })

test('a task without a temperature keeps its probabilities', () => {
  const found = tempered(
    input,
    calibration.temperature({ task: 'topic', kind: 'news', experts: ['linear'] }),
  )
  found.forEach((p, k) => {
    assert.ok(Math.abs(p - (input[k] ?? 0)) < 1e-12)
  })
})

test('below 1 sharpens, above 1 flattens; the likeliest label stays', () => {
  fc.assert(
    fc.property(
      distributions(3),
      fc.double({ min: 0.2, max: 5, noNaN: true }),
      (p, temperature) => {
        const found = tempered(p, temperature)
        assert.ok(Math.abs(found.reduce((a, b) => a + b, 0) - 1) < 1e-9)
        assert.ok((found[argmax(p)] ?? 0) >= Math.max(...found) - 1e-9)
        const change = Math.max(...found) - Math.max(...p)
        assert.ok(temperature >= 1 ? change <= 1e-9 : change >= -1e-9)
      },
    ),
  )
})

test('a probability of 0 is no trouble', () => {
  assert.deepEqual(
    tempered([0, 0, 1], 1).map((p) => Math.round(p)),
    [0, 0, 1],
  )
})

test('the default weights are those that the calibration was fitted with', () => {
  const { experts, weights } = loadConfig({ env: {} }).pipeline
  const ofDefault = (byExpert: Readonly<Record<string, number>>) =>
    Object.fromEntries(experts.map((expert) => [expert, byExpert[expert]]))
  assert.deepEqual(
    { news: ofDefault(weights.news), comment: ofDefault(weights.comment) },
    readFusion().reference_weights,
  )
})
