import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cleanOpening, cleanText, openingLength } from './clean.ts'

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

test('a long text stays whole', () => {
  const text = `${'word '.repeat(1_000)}end`
  assert.equal(cleanText(text), text)
})

test('the opening of a long text is its beginning, and of a short one all of it', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 2 * openingLength })
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(
        cleanOpening(a, b),
        cleanText((b === '' || a.startsWith(b) ? a : `${b} ${a}`).slice(0, openingLength)),
      )
    }),
  )
  assert.equal(cleanOpening(`${'word '.repeat(1_000)}end`).length, openingLength - 1)
})

test('no text throws', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(fc.property(text, text, (a, b) => typeof cleanText(a, b) === 'string'))
})
