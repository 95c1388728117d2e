import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LastRow } from '../../infra/store/offsets.ts'
import { logReplaced, replacedBecause } from './same-log.ts'

const appendedAt = Date.parse('2026-11-24T10:00:00Z')
const row: LastRow = { partition: 1, mark: 4, outcome: 'scored', postId: 'a', appendedAt }
const post = { id: 'a', source: 's', kind: 'news', text: 't', publishedAt: '2026-11-24T09:00:00Z' }

const record = (value: unknown, timestamp = appendedAt) => ({
  value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  timestamp,
})
const dead: LastRow = { ...row, outcome: 'dead', postId: '' }
const ahead = { ...post, publishedAt: '2026-11-24T10:06:00Z' }
const other = /another record is at offset 4/

const cases = [
  { name: 'its post', last: row, at: { end: 5, record: record(post) } },
  { name: 'no record there any more', last: row, at: { end: 5 } },
  {
    name: 'a record from before the clock of the broker went back',
    last: row,
    at: { end: 5, record: record(post, appendedAt - 60_000) },
  },
  {
    name: 'a younger record',
    last: row,
    at: { end: 9, record: record(post, appendedAt + 1) },
    why: other,
  },
  {
    name: 'another post',
    last: row,
    at: { end: 9, record: record({ ...post, id: 'b' }) },
    why: other,
  },
  { name: 'no post', last: row, at: { end: 9, record: record('{') }, why: other },
  { name: 'JSON without an id', last: row, at: { end: 9, record: record('null') }, why: other },
  {
    name: 'its post, whose text was erased since',
    last: row,
    at: { end: 5, record: record({ ...post, text: '' }) },
  },
  { name: 'the record that was refused', last: dead, at: { end: 5, record: record('{') } },
  {
    name: 'the post that was refused, because it was ahead of its time',
    last: dead,
    at: { end: 5, record: record(ahead, appendedAt - 60_000) },
  },
  {
    name: 'a post where none was',
    last: dead,
    at: { end: 5, record: record(post) },
    why: other,
  },
  {
    name: 'a record where a gap was',
    last: { ...row, outcome: 'gap', postId: '' },
    at: { end: 5, record: record('{') },
    why: other,
  },
  { name: 'an end at the mark', last: row, at: { end: 4 }, why: /ends at 4, below the stored 4/ },
  { name: 'nothing', last: row, at: { end: 0, record: record(post) }, why: /ends at 0/ },
] as const

for (const { name, last, at, ...expected } of cases)
  test(`the log holds ${name} at the mark`, () => {
    const why = replacedBecause(last, at)
    if ('why' in expected) assert.match(why ?? '', expected.why)
    else assert.equal(why, undefined)
  })

test('a replaced log is named with the command that begins it anew', () => {
  const error = logReplaced({ logTopic: 'posts@3', partition: 1 }, 'why')
  assert.equal(error.code, 'LOG_REPLACED')
  assert.equal(error.retryable, false)
  assert.match(error.message, /^posts@3\/1 .*why.*`tickertone epoch start posts`/)
})
