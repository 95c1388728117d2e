import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dotsOf, type Panel, reliabilityDiagram, wilsonInterval } from './reliability-diagram.ts'

const before = Array.from({ length: 10 }, (_, i) => ({
  label: i < 7 ? 0 : 1,
  probabilities: [0.95, 0.05],
}))
const after = before.map((row) => ({ ...row, probabilities: [0.72, 0.28] }))
const panel: Panel = { title: 'sentiment, news', stages: { before, after } }

/** Wilson (1927), as in Newcombe (1998), table I: 81 of 263 and 0 of 20. */
const intervals = [
  { share: 81 / 263, rows: 263, expected: [0.2553, 0.3662] },
  { share: 0, rows: 20, expected: [0, 0.1611] },
]

for (const { share, rows, expected } of intervals)
  test(`the interval of ${share.toFixed(2)} in ${rows}`, () => {
    assert.deepEqual(
      wilsonInterval(share, rows).map((bound) => Math.round(bound * 1e4) / 1e4),
      expected,
    )
  })

test('a dot a bin and stage', () => {
  assert.deepEqual(
    dotsOf(panel).map(({ stage, confidence, accuracy, rows }) => ({
      stage,
      confidence: Math.round(confidence * 100) / 100,
      accuracy,
      rows,
    })),
    [
      { stage: 'before', confidence: 0.95, accuracy: 0.7, rows: 10 },
      { stage: 'after', confidence: 0.72, accuracy: 0.7, rows: 10 },
    ],
  )
})

test('the drawing has its titles, and the same panels give the same bytes', async () => {
  const svg = await reliabilityDiagram('minilm', [panel])
  for (const text of ['minilm', 'sentiment, news', 'before', 'after', 'confidence'])
    assert.ok(svg.includes(`>${text}</text>`), text)
  assert.equal(await reliabilityDiagram('minilm', [panel]), svg)
})
