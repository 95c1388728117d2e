import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nextStep, readsUntilPoisoned, type Situation, type Step } from './next-step.ts'

const block = { mark: 9, last: 14 }
const base: Situation = {
  block,
  outcome: 'acknowledged',
  markAfter: 9,
  reads: 1,
  attempt: 0,
  replicated: false,
}

const cases: readonly { name: string; given: Partial<Situation>; expected: Step }[] = [
  { name: 'stored', given: { markAfter: 14 }, expected: { kind: 'go-on', mark: 14 } },
  {
    name: 'stored although the answer was lost',
    given: { outcome: 'unknown', markAfter: 14 },
    expected: { kind: 'go-on', mark: 14 },
  },
  {
    name: 'another writer stored a part of it',
    given: { outcome: 'mark-moved', markAfter: 11 },
    expected: { kind: 'go-on', mark: 11 },
  },
  {
    name: 'another writer stored more',
    given: { outcome: 'mark-moved', markAfter: 20 },
    expected: { kind: 'go-on', mark: 20 },
  },
  {
    name: 'acknowledged by another writer’s shorter block',
    given: { markAfter: 11 },
    expected: { kind: 'go-on', mark: 11 },
  },
  {
    name: 'failed',
    given: { outcome: 'unknown', attempt: 2 },
    expected: { kind: 'insert', attempt: 2 },
  },
  {
    name: 'refused, but the mark is where it was',
    given: { outcome: 'mark-moved' },
    expected: { kind: 'insert', attempt: 0 },
  },
  { name: 'acknowledged and not there, at first', given: {}, expected: { kind: 'wait' } },
  {
    name: 'acknowledged and still not there',
    given: { reads: readsUntilPoisoned },
    expected: { kind: 'insert', attempt: 1 },
  },
  {
    name: 'the next attempt is poisoned too',
    given: { reads: readsUntilPoisoned, attempt: 1 },
    expected: { kind: 'insert', attempt: 2 },
  },
  {
    name: 'a replica lags, however long',
    given: { replicated: true, reads: 99 },
    expected: { kind: 'wait' },
  },
  {
    name: 'a replica that lags behind the one that refused',
    given: { replicated: true, outcome: 'mark-moved' },
    expected: { kind: 'wait' },
  },
  {
    name: 'a replica shows less than before',
    given: { replicated: true, markAfter: 3 },
    expected: { kind: 'wait' },
  },
  {
    name: 'a replicated insert failed',
    given: { replicated: true, outcome: 'unknown' },
    expected: { kind: 'insert', attempt: 0 },
  },
  { name: 'rows were lost', given: { markAfter: 3 }, expected: { kind: 'lost' } },
]

describe('nextStep', () => {
  for (const { name, given, expected } of cases)
    it(name, () => assert.deepEqual(nextStep({ ...base, ...given }), expected))

  const situation = fc.record({
    block: fc.constant(block),
    outcome: fc.constantFrom('acknowledged' as const, 'mark-moved' as const, 'unknown' as const),
    markAfter: fc.integer({ min: -1, max: 20 }),
    reads: fc.integer({ min: 1, max: 6 }),
    attempt: fc.nat(5),
    replicated: fc.boolean(),
  })

  it('goes on exactly when the mark moved, and never past it', () => {
    fc.assert(
      fc.property(situation, (now) => {
        const step = nextStep(now)
        assert.equal(step.kind === 'go-on', now.markAfter > block.mark)
        if (step.kind === 'go-on') assert.equal(step.mark, now.markAfter)
      }),
    )
  })

  it('changes the token only when an acknowledged insert never shows on an unreplicated table', () => {
    fc.assert(
      fc.property(situation, (now) => {
        const step = nextStep(now)
        if (step.kind !== 'insert' || step.attempt === now.attempt) return
        assert.equal(step.attempt, now.attempt + 1)
        assert.deepEqual(
          [now.outcome, now.replicated, now.markAfter],
          ['acknowledged', false, block.mark],
        )
        assert.ok(now.reads >= readsUntilPoisoned)
      }),
    )
  })
})
