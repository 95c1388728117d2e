import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../infra/errors.ts'
import { cutBlocks } from './blocks.ts'
import { emptyRow, fillGaps, type UnplacedRow } from './gap.ts'

const partition = { logTopic: 'posts@0', partition: 0 }
const november = '2026-11-24 10:00:00.000'

const post = (offset: number, changes: Partial<UnplacedRow> = {}): UnplacedRow => ({
  ...emptyRow(partition, offset, november),
  outcome: 'scored',
  ...changes,
})
const withMentions = (offset: number, mentions: number, changes: Partial<UnplacedRow> = {}) =>
  Array.from({ length: mentions + 1 }, (_, ordinal) => post(offset, { ...changes, ordinal }))

const parse = (line: string) => JSON.parse(line) as UnplacedRow & { block_start: number }
const wide = { rows: 1_000, bytes: 1_000_000 }

/** Rows of increasing offsets with holes, mentions and, now and then, a new month. */
const batch = fc
  .array(
    fc.record({
      skip: fc.nat(2),
      mentions: fc.nat(4),
      nextMonth: fc.boolean(),
      text: fc.string({ maxLength: 200 }),
    }),
    { maxLength: 30 },
  )
  .map((offsets) => {
    let offset = -1
    let month = 1
    return offsets.flatMap(({ skip, mentions, nextMonth, text }) => {
      offset += 1 + skip
      if (nextMonth && month < 12) month += 1
      return withMentions(offset, mentions, {
        text,
        appended_at: `2026-${String(month).padStart(2, '0')}-01 00:00:00.000`,
      })
    })
  })

describe('cutBlocks', () => {
  it('covers all offsets in order, whole, in one month, within the limits', () => {
    fc.assert(
      fc.property(
        batch,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 900, max: 20_000 }),
        (rows, maxRows, maxBytes) => {
          const next = (rows.at(-1)?.offset ?? -1) + 1
          const filled = [...fillGaps(rows, { ...partition, from: 0, next }, november)]
          const blocks = [...cutBlocks(filled, { rows: maxRows, bytes: maxBytes })]
          let expected = 0
          for (const { first, last, rows: lines } of blocks) {
            assert.equal(first, expected)
            expected = last + 1
            const parsed = lines.map(parse)
            assert.ok(parsed.every((row) => row.block_start === first))
            assert.equal(new Set(parsed.map((row) => row.appended_at.slice(0, 7))).size, 1)
            const offsets = new Set(parsed.map((row) => row.offset)).size
            assert.ok(offsets === 1 || lines.length <= maxRows)
            assert.ok(offsets === 1 || lines.join('\n').length < maxBytes)
          }
          assert.equal(expected, next)
          assert.deepEqual(
            blocks.flatMap((block) =>
              block.rows.map((line) => ({ ...parse(line), block_start: 0 })),
            ),
            filled.map((row) => ({ ...row, block_start: 0 })),
          )
        },
      ),
    )
  })

  it('leaves an offset that is larger than the limits in a block of its own', () => {
    const rows = [post(0), ...withMentions(1, 9), post(2)]
    const blocks = [...cutBlocks(rows, { rows: 5, bytes: 1_000_000 })]
    assert.deepEqual(
      blocks.map(({ first, last, rows }) => [first, last, rows.length]),
      [
        [0, 0, 1],
        [1, 1, 10],
        [2, 2, 1],
      ],
    )
  })

  it('repairs lone surrogates and refuses NaN', () => {
    const [block] = cutBlocks([post(0, { text: 'a\ud800' })], wide)
    assert.equal(parse(block?.rows[0] ?? '').text, 'a\ufffd')
    assert.throws(
      () => [...cutBlocks([post(0, { score: Number.NaN })], wide)],
      (error) => error instanceof AppError && /score/.test(error.message),
    )
  })
})

describe('fillGaps', () => {
  const gaps = (offsets: readonly number[], from: number, next: number) =>
    [
      ...fillGaps(
        offsets.map((offset) => post(offset)),
        { ...partition, from, next },
        november,
      ),
    ].map((row) => (row.outcome === 'gap' ? `${row.gap_from}-${row.offset}` : `${row.offset}`))

  const cases = [
    { name: 'nothing to fill', offsets: [3, 4], from: 3, next: 5, expected: ['3', '4'] },
    {
      name: 'a hole before, between and after',
      offsets: [2, 5],
      from: 0,
      next: 9,
      expected: ['0-1', '2', '3-4', '5', '6-8'],
    },
    {
      name: 'holes of one offset',
      offsets: [1, 3],
      from: 0,
      next: 5,
      expected: ['0-0', '1', '2-2', '3', '4-4'],
    },
    { name: 'control records alone', offsets: [], from: 7, next: 9, expected: ['7-8'] },
    { name: 'an empty range', offsets: [], from: 7, next: 7, expected: [] },
  ]
  for (const { name, offsets, from, next, expected } of cases)
    it(name, () => assert.deepEqual(gaps(offsets, from, next), expected))

  it('makes a gap as old as the row before it', () => {
    const rows = [post(1, { appended_at: '2026-11-24 10:00:01.000' })]
    const times = [...fillGaps(rows, { ...partition, from: 0, next: 3 }, november)].map(
      (row) => row.appended_at,
    )
    assert.deepEqual(times, [november, '2026-11-24 10:00:01.000', '2026-11-24 10:00:01.000'])
  })
})
