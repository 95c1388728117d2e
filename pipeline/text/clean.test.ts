import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cleanText, maxReadLength } from './clean.ts'

const cases = [
  { name: 'entities, escaped twice', text: 'AT&amp;amp;T', expected: 'AT&T' },
  { name: 'links', text: 'Up https://t.co/x\nagain', expected: 'Up again' },
  { name: 'handles', text: 'RT @Reuters: Fed', expected: 'RT @user: Fed' },
  { name: 'case and cashtags stay', text: '$FB FALLS', expected: '$FB FALLS' },
  {
    name: 'a title comes first',
    text: 'It fell.',
    title: 'Facebook',
    expected: 'Facebook It fell.',
  },
  {
    name: 'a title that the text repeats',
    text: 'Fed cuts. More',
    title: 'Fed cuts',
    expected: 'Fed cuts. More',
  },
  { name: 'nothing left', text: ' https://t.co/x ', expected: '' },
]

for (const { name, text, title, expected } of cases)
  test(name, () => assert.equal(cleanText(text, title), expected))

test('of a long text the beginning is read', () => {
  const text = `${'word '.repeat(1_000)}end`
  assert.equal(cleanText(text), text.slice(0, maxReadLength).trim())
})

test('no text throws', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(fc.property(text, text, (a, b) => typeof cleanText(a, b) === 'string'))
})
