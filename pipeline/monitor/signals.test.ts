import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgedSignals, judgedValues, languageSignals, languageValues } from './signals.ts'
import { judgementOf, type Told } from './verdict.fixture.ts'

function valuesOf(told: Told, rareWords: number | undefined = 0.25) {
  const values = judgedValues(judgementOf(told), { length: 7, rareWords })
  assert.equal(values.length, judgedSignals.length)
  return Object.fromEntries(judgedSignals.map(({ name }, i) => [name, values[i]]))
}

test('classes are counted by the likeliest label', () => {
  const values = valuesOf({ sentiment: [0.5, 0.3, 0.2], topic: 'Earnings' })
  assert.deepEqual(
    Object.entries(values)
      .filter(([, value]) => value === 1)
      .map(([name]) => name),
    ['sentiment negative', 'topic Earnings'],
  )
  assert.equal(values.confidence, 0.5)
  assert.equal(values['rare words'], 0.25)
  assert.equal(values['log2 length'], 3)
})

test('what a post says nothing of is undefined, not 0', () => {
  const values = valuesOf({ topic: '', opinions: [[1, 0, 0], []] }, undefined)
  assert.equal(values['topic Earnings'], undefined)
  assert.equal(values.disagreement, undefined)
})

const disagreements = [
  {
    name: 'one mind',
    opinions: [
      [1, 0, 0],
      [1, 0, 0],
    ],
    expected: 0,
  },
  {
    name: 'opposites',
    opinions: [
      [1, 0, 0],
      [0, 0, 1],
    ],
    expected: 0.5,
  },
  {
    name: 'one of three',
    opinions: [
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ],
    expected: 4 / 9,
  },
  {
    name: 'a shadow',
    opinions: [
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ],
    shadow: [false, false, true],
    expected: 0,
  },
]

for (const { name, expected, ...told } of disagreements)
  test(`disagreement: ${name}`, () => {
    const { disagreement = Number.NaN } = valuesOf(told)
    assert.ok(Math.abs(disagreement - expected) < 1e-12, String(disagreement))
  })

const languages = [
  { language: 'ja', expected: 'language ja' },
  { language: 'und-Cyrl', expected: 'language other' },
  { language: '__proto__', expected: 'language other' },
]

for (const { language, expected } of languages)
  test(`language ${language}`, () => {
    const values = languageValues(language)
    assert.equal(values.length, languageSignals.length)
    assert.equal(
      values.reduce((a, b) => a + b),
      1,
    )
    assert.equal(languageSignals[values.indexOf(1)]?.name, expected)
  })
