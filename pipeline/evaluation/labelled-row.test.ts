import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { maxPostBytes, maxTextLength } from '../../ingest/contract.ts'
import { parseLabelledRow, readLabelledRow } from './labelled-row.ts'

const sentiment = { task: 'sentiment', defaultKind: 'news' } as const
const topic = { task: 'topic', defaultKind: 'comment' } as const

const labelled = [
  {
    name: 'a whole row',
    value: { text: 'Up', title: 'Shares', kind: 'comment', sentiment: 'positive', author: 'x' },
    expected: { kind: 'comment', text: 'Up', title: 'Shares', label: 2 },
  },
  {
    name: 'label and kind in another case, with blanks',
    value: { text: 'Up', kind: ' News', sentiment: 'NEUTRAL ' },
    expected: { kind: 'news', text: 'Up', title: '', label: 1 },
  },
  {
    name: 'null where there is nothing',
    value: { text: 'Up', title: null, kind: null, sentiment: 'negative' },
    expected: { kind: 'news', text: 'Up', title: '', label: 0 },
  },
  {
    name: 'a topic, and the kind of rows that name none',
    rules: topic,
    value: { text: 'Up', sentiment: 7, topic: 'm&a | investments' },
    expected: { kind: 'comment', text: 'Up', title: '', label: 12 },
  },
  {
    name: 'half a character',
    value: { text: 'Up \ud83d', sentiment: 'positive' },
    expected: { kind: 'news', text: 'Up \ufffd', title: '', label: 2 },
  },
  {
    name: 'a text in another language',
    value: { text: '株価が急落した', sentiment: 'negative' },
    expected: { kind: 'news', text: '株価が急落した', title: '', label: 0 },
  },
  {
    name: 'the longest text there is',
    value: { text: '🚀'.repeat(maxTextLength), sentiment: 'positive' },
    expected: { kind: 'news', text: '🚀'.repeat(maxTextLength), title: '', label: 2 },
  },
]

describe('a labelled row', () => {
  for (const { name, rules = sentiment, value, expected } of labelled)
    it(`is read: ${name}`, () =>
      assert.deepEqual(parseLabelledRow(value, rules), { outcome: 'labelled', row: expected }))
})

const unlabelled = [
  { text: 'Up' },
  { sentiment: null },
  { text: 7, sentiment: ' ' },
  { topic: 'IPO' },
]

describe('a row without a label of the task', () => {
  for (const value of unlabelled)
    it(JSON.stringify(value), () =>
      assert.deepEqual(parseLabelledRow(value, sentiment), { outcome: 'unlabelled' }),
    )
})

const names = 'sentiment: must be one of negative, neutral, positive'
const badRows = [
  { name: 'an unknown label', value: { text: 'Up', sentiment: 'bullish' }, reason: names },
  {
    name: 'a number',
    value: { text: 'Up', sentiment: 1 },
    reason: `${names}; a number does not say which`,
  },
  { name: 'a list', value: { text: 'Up', sentiment: ['positive'] }, reason: names },
  {
    name: 'an unknown kind',
    value: { text: 'Up', sentiment: 'positive', kind: 'tweet' },
    reason: 'kind: must be one of news, comment',
  },
  { name: 'no text', value: { sentiment: 'positive' }, reason: 'text: missing' },
  { name: 'a blank text', value: { text: ' \n', sentiment: 'positive' }, reason: 'text: missing' },
  {
    name: 'a text that is none',
    value: { text: { a: 1 }, sentiment: 'positive' },
    reason: 'text: must be a string of at most 20000 characters',
  },
  {
    name: 'a text that no post may have',
    value: { text: 'x'.repeat(maxTextLength + 1), sentiment: 'positive' },
    reason: 'text: must be a string of at most 20000 characters',
  },
  {
    name: 'a title that is none',
    value: { text: 'Up', title: 7, sentiment: 'positive' },
    reason: 'title: must be a string of at most 1000 characters',
  },
  ...[7, null, 'positive', [{ text: 'Up', sentiment: 'positive' }]].map((value) => ({
    name: JSON.stringify(value),
    value,
    reason: 'a row must be a JSON object',
  })),
]

describe('a bad row has a reason', () => {
  for (const { name, value, reason } of badRows)
    it(name, () => assert.deepEqual(parseLabelledRow(value, sentiment), { outcome: 'bad', reason }))

  it('whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from)), (bytes) => {
        assert.notEqual(readLabelledRow(bytes, sentiment).outcome, 'labelled')
      }),
    )
  })

  it('a line that is too long', () => {
    const reason = `larger than ${maxPostBytes} bytes`
    assert.deepEqual(readLabelledRow(undefined, sentiment), { outcome: 'bad', reason })
  })
})
