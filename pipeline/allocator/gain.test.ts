import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { kinds } from '../../ingest/contract.ts'
import { tasks } from '../contract.ts'
import { createGains, type GainCurve, type GainQuestion, readCascade } from './gain.ts'

const curve: GainCurve = {
  task: 'sentiment',
  kind: 'news',
  heard: 'linear',
  expert: 'minilm',
  rows: 100,
  margins: [0.2, 0.6],
  gains: [0.3, 0.1],
}
const question: GainQuestion = {
  task: 'sentiment',
  kind: 'news',
  heard: ['linear'],
  expert: 'minilm',
  margin: 0.4,
  share: 0.2,
}
const weights = { news: { linear: 0.2, minilm: 0.8 }, comment: { linear: 0, minilm: 1 } }
const anyKind: GainCurve = { ...curve, kind: '', gains: [0.05, 0.05] }

const cases: {
  name: string
  curves: GainCurve[]
  asked: Partial<GainQuestion>
  expected: number
}[] = [
  { name: 'between two knots', curves: [curve], asked: {}, expected: 0.2 },
  { name: 'below the first', curves: [curve], asked: { margin: 0 }, expected: 0.3 },
  { name: 'above the last', curves: [curve], asked: { margin: 1 }, expected: 0.1 },
  { name: 'its kind before any', curves: [anyKind, curve], asked: {}, expected: 0.2 },
  {
    name: 'any kind for one without rows',
    curves: [anyKind, curve],
    asked: { kind: 'comment' },
    expected: 0.05,
  },
  {
    name: 'a heard expert that no curve knows is passed over',
    curves: [curve, { ...curve, heard: '', expert: 'linear' }],
    asked: { heard: ['newcomer', 'linear'] },
    expected: 0.2,
  },
  {
    name: 'a newcomer is hoped for where the verdict is open',
    curves: [curve],
    asked: { expert: 'newcomer', margin: 0.4 },
    expected: 0.3,
  },
  {
    name: 'a larger share than the fitted one is trusted no more',
    curves: [curve],
    asked: { share: 0.5 },
    expected: 0.2,
  },
  {
    name: 'half of the margin where half of their weight is left to those heard',
    curves: [curve],
    asked: { margin: 0.8, share: 0.1 },
    expected: 0.2,
  },
  {
    name: 'experts of no weight when it was fitted are trusted',
    curves: [{ ...curve, kind: 'comment' }],
    asked: { kind: 'comment', share: 0 },
    expected: 0.2,
  },
  { name: 'and not where it is clear', curves: [], asked: { margin: 1 }, expected: 0 },
]

for (const { name, curves, asked, expected } of cases)
  test(`expected gain: ${name}`, () => {
    const withLinear: GainCurve[] = curves.some(({ expert }) => expert === 'linear')
      ? curves
      : curves.flatMap((c) => [c, { ...c, heard: '', expert: 'linear' }])
    const found = createGains({ curves: withLinear, weights }).expected({ ...question, ...asked })
    assert.ok(Math.abs(found - expected) < 1e-12, `${found}`)
  })

test('the gains that ship never rise with the margin', () => {
  const gains = createGains(readCascade())
  const margin = fc.double({ min: 0, max: 1, noNaN: true })
  const experts = ['linear', 'lexicon', 'minilm']
  const asked = fc.record({
    task: fc.constantFrom(...tasks),
    kind: fc.constantFrom(...kinds),
    heard: fc.subarray(experts),
    expert: fc.constantFrom(...experts),
    share: margin,
    margins: fc.tuple(margin, margin).map(([a, b]) => (a < b ? [a, b] : [b, a])),
  })
  fc.assert(
    fc.property(asked, ({ margins: [low = 0, high = 0], ...rest }) => {
      const at = (margin: number) => gains.expected({ ...rest, margin })
      assert.ok(at(low) >= at(high))
      assert.ok(Math.abs(at(low)) <= 1)
    }),
  )
})
