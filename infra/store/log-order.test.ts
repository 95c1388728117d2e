import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { acceptInOrder, type PlacedRow } from './log-order.ts'

const row = (offset: number, block: number, changes: Partial<PlacedRow> = {}): PlacedRow => ({
  partition: 0,
  offset,
  ordinal: 0,
  block_start: block,
  gap_from: offset,
  appended_at: '2026-11-24 10:00:00.000',
  ...changes,
})

/** Blocks of offsets as a writer makes them: each with its mentions, each beginning where the one before ended. */
const stored = fc
  .array(
    fc.array(fc.record({ mentions: fc.nat(3), hole: fc.nat(2) }), { minLength: 1, maxLength: 4 }),
    { maxLength: 6 },
  )
  .map((blocks) => {
    const rows: PlacedRow[] = []
    let next = 0
    for (const offsets of blocks) {
      const start = next
      for (const { mentions, hole } of offsets) {
        const offset = next + hole
        const last = hole > 0 ? 0 : mentions
        for (let ordinal = 0; ordinal <= last; ordinal += 1)
          rows.push(row(offset, start, { ordinal, gap_from: next }))
        next = offset + 1
      }
    }
    return { rows, next }
  })

describe('acceptInOrder', () => {
  it('accepts whatever a writer stores, from any offset on', () => {
    fc.assert(
      fc.property(stored, fc.nat(40), ({ rows, next }, start) => {
        const from = Math.min(start, next)
        const rest = rows.filter((stored) => stored.offset >= from)
        assert.deepEqual(acceptInOrder(rest, from), {
          rows: rest,
          next: Math.max(from, (rest.at(-1)?.offset ?? -1) + 1),
        })
      }),
    )
  })

  it('puts ordinals in order', () => {
    const [post, first, second] = [0, 1, 2].map((ordinal) => row(0, 0, { ordinal }))
    assert.ok(post && first && second)
    assert.deepEqual(acceptInOrder([second, post, first], 0).rows, [post, first, second])
  })

  it('finds any offset taken away', () => {
    fc.assert(
      fc.property(stored, fc.nat(), ({ rows, next }, pick) => {
        const offsets = [...new Set(rows.map((stored) => stored.offset))]
        const taken = offsets[pick % Math.max(1, offsets.length)]
        fc.pre(taken !== undefined && taken !== next - 1)
        const { fault } = acceptInOrder(
          rows.filter((stored) => stored.offset !== taken),
          0,
        )
        assert.equal(fault?.kind, 'hole')
        assert.equal(fault?.to, taken)
      }),
    )
  })

  it('finds any row that stands twice', () => {
    fc.assert(
      fc.property(stored, fc.nat(), ({ rows }, pick) => {
        const twice = rows[pick % Math.max(1, rows.length)]
        fc.pre(twice !== undefined)
        const doubled = [...rows, twice].sort((a, b) => a.offset - b.offset)
        assert.equal(acceptInOrder(doubled, 0).fault?.kind, 'double')
      }),
    )
  })

  const faults = [
    {
      name: 'a first block that begins late',
      rows: [row(2, 2)],
      from: 0,
      expected: { kind: 'hole', from: 0, to: 1 },
    },
    {
      name: 'a block that begins inside the one before',
      rows: [row(0, 0), row(1, 0), row(2, 1)],
      from: 0,
      expected: { kind: 'double', from: 2, to: 2 },
    },
    {
      name: 'two blocks that overlap at an offset',
      rows: [row(0, 0), row(1, 0), row(1, 1)],
      from: 0,
      expected: { kind: 'double', from: 1, to: 1 },
    },
    {
      name: 'a gap row over stored offsets',
      rows: [row(0, 0), row(3, 0, { gap_from: 0 })],
      from: 0,
      expected: { kind: 'double', from: 0, to: 3 },
    },
    {
      name: 'a lost mention',
      rows: [row(0, 0), row(0, 0, { ordinal: 2 })],
      from: 0,
      expected: { kind: 'double', from: 0, to: 0 },
    },
  ] as const
  for (const { name, rows, from, expected } of faults) {
    it(`finds ${name}`, () => assert.deepEqual(acceptInOrder(rows, from).fault, expected))
  }
})
