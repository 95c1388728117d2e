import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loadConfig } from '../../infra/config.ts'
import { argmax } from '../experts/probabilities.ts'
import { distributions } from '../testing/distributions.ts'
import { createCalibration, type FusionTemperature, readFusion, tempered } from './calibration.ts'

const node = (
  kind: 'news' | 'comment' | '',
  experts: string,
  temperature: number,
  method: FusionTemperature['method'] = 'average',
): FusionTemperature => ({
  task: 'sentiment',
  kind,
  experts,
  method,
  temperature,
  rows: 1,
})

const calibration = createCalibration([
  node('', '', 2),
  node('news', '', 3),
  node('news', 'lexicon+linear', 4),
  node('news', 'lexicon+linear', 5, 'vote'),
])
const input = [0.2, 0.3, 0.5]

const cases = [
  {
    name: 'the set of experts, in any order',
    at: { kind: 'news', experts: ['linear', 'lexicon'], method: 'average' },
    expected: 4,
  },
  {
    name: 'the method',
    at: { kind: 'news', experts: ['linear', 'lexicon'], method: 'vote' },
    expected: 5,
  },
  {
    name: 'the kind, for a set never seen',
    at: { kind: 'news', experts: ['linear'], method: 'average' },
    expected: 3,
  },
  {
    name: 'the task, for a kind never seen',
    at: { kind: 'comment', experts: ['linear'], method: 'average' },
    expected: 2,
  },
  {
    name: 'no other method, where its own was never fitted',
    at: { kind: 'news', experts: ['linear'], method: 'vote' },
    expected: 1,
  },
] as const

for (const { name, at, expected } of cases)
  test(`the temperature is that of ${name}`, () => {
    assert.equal(calibration.temperature({ task: 'sentiment', ...at }), expected)
  })

test('a task without a temperature keeps its probabilities', () => {
  const found = tempered(
    input,
    calibration.temperature({
      task: 'topic',
      kind: 'news',
      experts: ['linear'],
      method: 'average',
    }),
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
