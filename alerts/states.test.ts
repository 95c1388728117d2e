import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seriesStates } from './contract.ts'
import { type Evidence, initialState, type RuleState, transition } from './states.ts'

const options = { calmBuckets: 6 }
const now = 1_000_000

const hot: Evidence = { pValue: 1e-9, threshold: 1e-6, broad: true }
const narrow: Evidence = { ...hot, broad: false }
const warm: Evidence = { pValue: 5e-5, threshold: 1e-6, broad: true }
const calm: Evidence = { pValue: 0.3, threshold: 1e-6, broad: true }

const pending: RuleState = { state: 'pending', startedAt: 0, calmBuckets: 0 }
const firing: RuleState = { state: 'firing', startedAt: 500, calmBuckets: 0 }
const recovering: RuleState = { state: 'recovering', startedAt: 500, calmBuckets: 3 }
const lastCalm: RuleState = { state: 'recovering', startedAt: 500, calmBuckets: 5 }
const resolved: RuleState = { state: 'resolved', startedAt: 500, calmBuckets: 0 }

describe('transition', () => {
  const table = [
    { name: 'normal stays when calm', from: initialState, see: calm, to: 'normal', emit: null },
    { name: 'normal waits when warm', from: initialState, see: warm, to: 'pending', emit: null },
    { name: 'few voices only wait', from: initialState, see: narrow, to: 'pending', emit: null },
    { name: 'normal fires', from: initialState, see: hot, to: 'firing', emit: 'firing' },
    { name: 'pending fires', from: pending, see: hot, to: 'firing', emit: 'firing' },
    { name: 'pending calms down', from: pending, see: calm, to: 'normal', emit: null },
    { name: 'firing goes on', from: firing, see: hot, to: 'firing', emit: null },
    { name: 'firing does not flap', from: firing, see: warm, to: 'firing', emit: null },
    { name: 'firing recovers', from: firing, see: calm, to: 'recovering', emit: 'recovering' },
    { name: 'recovering fires again', from: recovering, see: hot, to: 'firing', emit: 'firing' },
    { name: 'recovering waits', from: recovering, see: calm, to: 'recovering', emit: null },
    { name: 'recovering resolves', from: lastCalm, see: calm, to: 'resolved', emit: 'resolved' },
    { name: 'resolved is over', from: resolved, see: calm, to: 'normal', emit: null },
    { name: 'resolved fires anew', from: resolved, see: hot, to: 'firing', emit: 'firing' },
  ]
  for (const { name, from, see, to, emit } of table)
    it(name, () => {
      const step = transition(from, see, now, options)
      assert.deepEqual([step.next.state, step.emit], [to, emit])
      assert.notEqual(step.reason, '')
    })

  it('keeps the start of an alert from firing to resolved, and begins a new alert after', () => {
    assert.equal(transition(recovering, hot, now, options).next.startedAt, 500)
    assert.equal(transition(lastCalm, calm, now, options).next.startedAt, 500)
    assert.equal(transition(resolved, hot, now, options).next.startedAt, now)
  })

  it('starts counting calm again after warmth', () => {
    assert.equal(transition(recovering, warm, now, options).next.calmBuckets, 0)
  })

  const anyState = fc.record({
    state: fc.constantFrom(...seriesStates),
    startedAt: fc.nat(),
    calmBuckets: fc.nat({ max: 5 }),
  })
  const anyEvidence = fc.record({
    pValue: fc.double({ min: 0, max: 1, noNaN: true }),
    threshold: fc.double({ min: 1e-12, max: 1e-3, noNaN: true }),
    broad: fc.boolean(),
  })

  it('never begins to fire without a p-value below the threshold and breadth', () => {
    fc.assert(
      fc.property(anyState, anyEvidence, (state, evidence) => {
        const step = transition(state, evidence, now, options)
        if (step.emit === 'firing')
          assert.ok(evidence.broad && evidence.pValue < evidence.threshold)
      }),
    )
  })

  it('tells exactly the changes of state that people see', () => {
    fc.assert(
      fc.property(anyState, anyEvidence, (state, evidence) => {
        const { next, emit } = transition(state, evidence, now, options)
        const isSeen = ['firing', 'recovering', 'resolved'].includes(next.state)
        assert.equal(emit, isSeen && next.state !== state.state ? next.state : null)
      }),
    )
  })

  it('comes to normal from any state when all stays calm', () => {
    fc.assert(
      fc.property(anyState, (start) => {
        let state: RuleState = start
        for (let bucket = 0; bucket < 8; bucket++)
          state = transition(state, calm, now, options).next
        assert.deepEqual(state, initialState)
      }),
    )
  })
})
