import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitGainCurve, gainSamples } from './fit-gains.ts'
import type { Judged } from './judged.ts'

const weights = { news: { cheap: 0.4, dear: 0.6 }, comment: { cheap: 1, dear: 0 } }

function row(
  label: number,
  cheap: number[],
  dear: number[],
  kind: Judged['kind'] = 'news',
): Judged {
  return { task: 'sentiment', kind, label, opinions: { cheap, dear }, fold: 0, cluster: 0 }
}

test('a gain is what the fused verdict becomes by one expert more', () => {
  const judged = [
    row(0, [0.2, 0.5, 0.3], [0.9, 0.1, 0]),
    row(1, [0.2, 0.5, 0.3], [0.9, 0.1, 0]),
    row(1, [0.2, 0.5, 0.3], [0.4, 0.6, 0]),
    row(0, [0.2, 0.5, 0.3], [0.9, 0.1, 0], 'comment'),
  ]
  const gainsOf = (kind: string, heard: string, expert: string) =>
    gainSamples(judged, weights)
      .find((s) => s.kind === kind && s.heard === heard && s.expert === expert)
      ?.rows.map(({ gain, margin }) => [gain, Math.round(margin * 10) / 10])
  assert.deepEqual(gainsOf('news', 'cheap', 'dear'), [
    [1, 0.2],
    [-1, 0.2],
    [0, 0.2],
  ])
  assert.deepEqual(gainsOf('comment', 'cheap', 'dear'), [[0, 0.2]], 'without a weight no gain')
  assert.deepEqual(gainsOf('comment', '', 'dear'), [[1, 0]], 'after nobody: that it is right')
  assert.equal(gainsOf('', 'cheap', 'dear')?.length, 4, 'any kind')
  assert.equal(gainsOf('news', 'cheap', 'cheap'), undefined)
})

test('a curve never ascends, and has its knots in order', () => {
  const rows = Array.from({ length: 600 }, (_, i) => ({
    margin: i / 600,
    gain: (i * 7) % 600 > i ? 1 : 0,
  }))
  const { margins, gains } = fitGainCurve(rows)
  assert.equal(margins.length, 10)
  assert.deepEqual(margins, margins.toSorted())
  assert.deepEqual(
    gains,
    gains.toSorted((a, b) => b - a),
  )
  assert.ok((gains[0] ?? 0) > 0.9 && (gains.at(-1) ?? 1) < 0.1)
})

test('rows of one margin are one knot', () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({ margin: 0, gain: i % 2 }))
  assert.deepEqual(fitGainCurve(rows), { rows: 300, margins: [0], gains: [0.5] })
})
