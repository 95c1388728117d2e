import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  checkHistory,
  countedAs,
  type FindingKind,
  type History,
  type Sent,
  type StoredRow,
} from './history.ts'

const row = (offset: number, fields: Partial<StoredRow> = {}): StoredRow => ({
  partition: 0,
  offset,
  ordinal: 0,
  gap_from: offset,
  block_start: 0,
  outcome: 'scored',
  post_id: `p${offset}`,
  version: 1,
  appended_at: '2026-11-24 10:00:00.000',
  score: offset / 10,
  ...fields,
})

const sent = (offset: number, fields: Partial<Sent> = {}): Sent => ({
  id: `p${offset}`,
  fate: 'post',
  at: { partition: 0, offset },
  content: 'text',
  ...fields,
})

/** Three posts, one of them with two mentions, one dead, one sent twice, a gap of two, in two blocks. */
const stored: readonly StoredRow[] = [
  row(0),
  row(0, { ordinal: 1 }),
  row(0, { ordinal: 2 }),
  row(1, { outcome: 'dead', post_id: '', version: 0 }),
  row(2),
  row(4, { block_start: 3, gap_from: 3, outcome: 'gap', post_id: '', version: 0 }),
  row(5, { block_start: 3, outcome: 'duplicate', post_id: 'p2' }),
  row(6, { block_start: 3 }),
]

const quiet: History = {
  logTopic: 'posts@0',
  sent: [
    sent(0),
    sent(1, { id: '', fate: 'poison' }),
    sent(2),
    sent(5, { id: 'p2' }),
    sent(6),
    sent(9, { at: undefined }),
  ],
  ends: [7],
  rows: stored,
  letters: ['posts@0/0/1'],
  quiet: stored,
}

const without = (offset: number): readonly StoredRow[] =>
  stored.filter((each) => each.offset !== offset)
const changed = (offset: number, fields: Partial<StoredRow>): readonly StoredRow[] =>
  stored.map((each) => (each.offset === offset ? { ...each, ...fields } : each))

const cases: readonly {
  readonly name: string
  readonly change: Partial<History>
  readonly expected: readonly FindingKind[]
}[] = [
  { name: 'a history without a fault', change: {}, expected: [] },
  {
    name: 'the rows in any order',
    change: { rows: stored.toReversed() },
    expected: [],
  },
  {
    name: 'a send without an answer that arrived',
    change: {
      ends: [8],
      rows: [...stored, row(7, { post_id: 'p9', block_start: 7 })],
      quiet: undefined,
    },
    expected: [],
  },
  {
    name: 'an acknowledged post without rows',
    change: { rows: without(6) },
    expected: ['lost', 'gap', 'different'],
  },
  {
    name: 'an acknowledged post inside a gap row',
    change: { rows: changed(2, { outcome: 'gap', post_id: '' }), quiet: undefined },
    expected: ['lost', 'lost'],
  },
  {
    name: 'a post that is only a duplicate of nothing',
    change: { rows: changed(6, { outcome: 'duplicate' }) },
    expected: ['lost', 'different'],
  },
  {
    name: 'another post where one was acknowledged',
    change: { rows: changed(6, { post_id: 'p0', version: 2 }), quiet: undefined },
    expected: ['misplaced', 'scored-twice'],
  },
  {
    name: 'poison that was scored',
    change: { rows: changed(1, { outcome: 'scored' }), quiet: undefined },
    expected: ['misplaced'],
  },
  { name: 'no dead letter', change: { letters: [] }, expected: ['letter-missing'] },
  {
    name: 'the letter of another log',
    change: { letters: ['posts@1/0/1'] },
    expected: ['letter-missing'],
  },
  { name: 'a letter twice', change: { letters: ['posts@0/0/1', 'posts@0/0/1'] }, expected: [] },
  {
    name: 'a block twice',
    change: { rows: [...stored, ...stored.slice(5)], quiet: undefined },
    expected: ['doubled', 'doubled', 'doubled'],
  },
  {
    name: 'the same offsets in two blocks',
    change: { rows: [...stored, row(6, { block_start: 6 })], quiet: undefined },
    expected: ['doubled', 'block-start'],
  },
  {
    name: 'the same text scored at two offsets',
    change: { rows: changed(5, { outcome: 'scored' }), quiet: undefined },
    expected: ['scored-twice'],
  },
  {
    name: 'the same text scored as a new version',
    change: { rows: changed(5, { outcome: 'scored', version: 2 }), quiet: undefined },
    expected: ['scored-twice'],
  },
  {
    name: 'a new text as a new version',
    change: {
      rows: changed(5, { outcome: 'scored', version: 2 }),
      sent: quiet.sent.map((each) => (each.at?.offset === 5 ? { ...each, content: 'new' } : each)),
      quiet: undefined,
    },
    expected: [],
  },
  {
    name: 'a post nobody sent',
    change: { ends: [8], rows: [...stored, row(7, { block_start: 7 })], quiet: undefined },
    expected: ['unknown'],
  },
  {
    name: 'a hole between blocks',
    change: { rows: without(4) },
    expected: ['gap', 'block-start'],
  },
  {
    name: 'nothing of the end of the log',
    change: { ends: [9] },
    expected: ['gap'],
  },
  {
    name: 'nothing of a partition',
    change: { ends: [7, 3] },
    expected: ['gap'],
  },
  {
    name: 'rows beyond the end of the log',
    change: { ends: [6] },
    expected: ['gap'],
  },
  {
    name: 'a block that starts too early',
    change: { rows: changed(6, { block_start: 5 }) },
    expected: ['block-start'],
  },
  {
    name: 'a mention missing',
    change: { rows: stored.filter(({ ordinal }) => ordinal !== 1) },
    expected: ['ordinals', 'different'],
  },
  {
    name: 'a post without its own row',
    change: { rows: stored.filter(({ offset, ordinal }) => offset > 0 || ordinal > 0) },
    expected: ['lost', 'ordinals', 'different'],
  },
  {
    name: 'time that goes back',
    change: { rows: changed(6, { appended_at: '2026-11-24 09:59:59.999' }), quiet: undefined },
    expected: ['time-back'],
  },
  {
    name: 'another score than in a quiet run',
    change: { rows: changed(2, { score: 0.9 }) },
    expected: ['different'],
  },
  {
    name: 'other times of scoring, costs and blocks than in a quiet run',
    change: {
      quiet: stored.map((each) => ({
        ...each,
        block_start: each.offset,
        scored_at: '2026-11-24 11:00:00.000',
        'experts.cost_ms': [1],
      })),
    },
    expected: [],
  },
]

describe('the history checker', () => {
  for (const { name, change, expected } of cases)
    it(name, () => {
      const kinds = checkHistory({ ...quiet, ...change }).map(({ kind }) => kind)
      assert.deepEqual(kinds.toSorted(), expected.toSorted())
    })

  it('has a case for every kind of fault', () => {
    const covered = new Set(cases.flatMap(({ expected }) => expected))
    assert.deepEqual(
      Object.keys(countedAs).filter((kind) => !covered.has(kind as FindingKind)),
      [],
    )
  })
})
