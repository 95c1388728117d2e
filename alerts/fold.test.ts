import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { AlertEvent } from './contract.ts'
import { mention } from './engine.fixture.ts'
import { AlertFold, type FoldSnapshot } from './fold.ts'
import { foldOptions } from './settings.ts'
import type { MentionRow } from './window.ts'

const bucketMs = 10_000
const options = foldOptions(
  { bucketMs },
  { instrumentName: (id) => `Name of ${id}`, publicUrl: () => 'http://127.0.0.1:1' },
)

interface Step {
  readonly meta: number
  readonly apple: number
  readonly negative: number
}

const quiet: Step = { meta: 2, apple: 1, negative: 0.2 }
const storm: Step = { meta: 12, apple: 1, negative: 0.8 }

let texts = 0
const posts = (count: number, row: Partial<MentionRow>): MentionRow[] =>
  Array.from({ length: count }, () => {
    texts += 1
    return mention({ at: 0, offset: texts, content_hash: `hash ${texts}`, ...row })
  })

const bucketsOf = (steps: readonly Step[]): MentionRow[][] =>
  steps.map(({ meta, apple, negative }) => [
    ...posts(meta, { instrument: 'US:META', negative }),
    ...posts(apple, { instrument: 'US:AAPL', negative: 0.3 }),
  ])

const times = (count: number, step: Step): Step[] => Array.from({ length: count }, () => step)

/** Folds buckets one after another; at `restartAt` a new fold goes on from the saved state. */
function fold(buckets: readonly (readonly MentionRow[])[], restartAt = -1): AlertEvent[] {
  let state = new AlertFold(options)
  return buckets.flatMap((rows, index) => {
    if (index === restartAt) {
      const saved = JSON.parse(JSON.stringify(state.snapshot())) as FoldSnapshot
      state = new AlertFold(options, saved)
    }
    return state.closeBucket((index + 1) * bucketMs, rows)
  })
}

describe('AlertFold', () => {
  it('tells a storm as events of the contract that explain themselves', () => {
    const events = fold(bucketsOf([...times(60, quiet), ...times(3, storm), ...times(20, quiet)]))
    assert.deepEqual(
      events.map(({ state }) => state),
      ['firing', 'recovering', 'resolved'],
    )
    for (const event of events) assert.ok(Value.Check(AlertEvent, event))
    assert.equal(new Set(events.map(({ id }) => id)).size, 3)
    assert.equal(new Set(events.map(({ alertId }) => alertId)).size, 1)
    const [fired] = events
    assert.ok(fired)
    const { evidence } = fired
    assert.ok(evidence.observed > evidence.usualHigh)
    assert.ok(evidence.usualLow < evidence.expected && evidence.expected < evidence.usualHigh)
    assert.ok(Math.abs(evidence.shareFromPosts + evidence.shareFromTone - 1) < 1e-12)
    assert.equal(fired.instrumentName, 'Name of US:META')
    assert.equal(fired.texts[0]?.negative, 0.8)
    assert.equal(fired.texts[0]?.experts[0]?.name, 'linear')
  })

  it('says what drove the excess', () => {
    const shares = (step: Step): number | undefined =>
      fold(bucketsOf([...times(60, { ...quiet, meta: 8 }), ...times(6, step)]))[0]?.evidence
        .shareFromTone
    const moreOfTheSame = shares({ ...quiet, meta: 60 })
    const darker = shares({ ...quiet, meta: 8, negative: 0.95 })
    assert.ok(moreOfTheSame === undefined || Math.abs(moreOfTheSame) < 0.1)
    assert.ok(darker !== undefined && darker > 0.9)
  })

  const copies = (count: number): MentionRow[] =>
    posts(count, { negative: 0.95, content_hash: 'the one text' })

  it('counts a story once, however often it is repeated', () => {
    const before = bucketsOf(times(60, quiet))
    assert.deepEqual(fold([...before, copies(50), copies(50)]), [])
  })

  it('does not fire on few posts, whatever their p-value', () => {
    const before = Array.from({ length: 500 }, () => posts(1, { instrument: 'US:AAPL' }))
    const four = posts(4, { instrument: 'US:NEW', negative: 0.99 })
    const ten = posts(10, { instrument: 'US:NEW', negative: 0.99 })
    assert.deepEqual(fold([...before, four]), [])
    assert.equal(fold([...before, ten]).length, 1)
  })

  it('does not fire on one loud author', () => {
    const before = Array.from({ length: 500 }, () => posts(1, { instrument: 'US:AAPL' }))
    const loud = posts(30, { instrument: 'US:NEW', negative: 0.99, author: 'same' })
    assert.deepEqual(fold([...before, loud]), [])
  })

  const anyStep = fc.record({
    meta: fc.nat({ max: 10 }),
    apple: fc.nat({ max: 3 }),
    negative: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  })

  it('goes on from a snapshot to the same bytes', () => {
    fc.assert(
      fc.property(
        fc.array(anyStep, { maxLength: 25 }),
        fc.integer({ min: 0, max: 70 }),
        (steps, restartAt) => {
          const buckets = bucketsOf([...times(40, quiet), ...steps, ...times(4, storm)])
          assert.equal(JSON.stringify(fold(buckets, restartAt)), JSON.stringify(fold(buckets)))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('keeps an open alert, and forgets other baselines, when seeded', async () => {
    const state = new AlertFold(options)
    let end = 0
    for (const rows of bucketsOf([...times(60, quiet), ...times(3, storm)])) {
      end += bucketMs
      state.closeBucket(end, rows)
    }
    await state.seed(
      (async function* () {
        for (let bucket = 1; bucket <= 30; bucket++)
          yield { end: bucket * bucketMs, rows: posts(3, { instrument: 'US:MSFT' }) }
      })(),
    )
    assert.equal(state.isIdle, false)
    const events: AlertEvent[] = []
    for (let bucket = 0; bucket < 40; bucket++) {
      end += bucketMs
      events.push(...state.closeBucket(end, []))
    }
    assert.equal(events.at(-1)?.state, 'resolved')
    assert.equal(state.isIdle, true)
    assert.equal(state.seriesCount, 3)
  })
})
