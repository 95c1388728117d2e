import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ServedRange } from '../contract.ts'
import { overlay } from './coverage.ts'

const range = fc.record({
  logTopic: fc.constantFrom('posts@0', 'posts@1'),
  partition: fc.integer({ min: 0, max: 1 }),
  from: fc.integer({ min: 0, max: 20 }),
  to: fc.integer({ min: 0, max: 20 }),
  revision: fc.integer({ min: 1, max: 5 }),
})
const ranges = fc.array(range, { maxLength: 6 })

/** The revisions of all ranges that hold the offset. */
const at = (coverage: readonly ServedRange[], place: ServedRange): number[] =>
  coverage
    .filter(
      ({ logTopic, partition }) => logTopic === place.logTopic && partition === place.partition,
    )
    .filter(({ from, to }) => from <= place.from && place.from < to)
    .map(({ revision }) => revision)

describe('overlay', () => {
  it('shows the last range laid over an offset, and what was below where none is', () => {
    fc.assert(
      fc.property(ranges, ranges, range, (below, above, place) => {
        const under = overlay([], below)
        const expected = at(above, place).at(-1) ?? at(under, place)[0]
        assert.deepEqual(at(overlay(under, above), place), expected === undefined ? [] : [expected])
      }),
    )
  })

  it('changes nothing when nothing is laid over it', () => {
    fc.assert(
      fc.property(ranges, (below) => {
        const coverage = overlay([], below)
        assert.deepEqual(overlay(coverage, []), coverage)
      }),
    )
  })
})
