import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalisedText, normalisedTokens, textId } from './normalise.ts'

const cases = [
  { name: 'case and punctuation', text: 'Apple, Inc. -- UP!', expected: 'apple inc up' },
  { name: 'entities, escaped twice', text: 'AT&amp;amp;T &quot;buys&quot;', expected: 'at t buys' },
  { name: 'links', text: 'See https://t.co/AbC and HTTP://x.y/z now', expected: 'see and now' },
  {
    name: 'digits and underscores stay',
    text: '$FB 3.5% snake_case',
    expected: 'fb 3 5 snake_case',
  },
  { name: 'letters of every script', text: 'Österreich… 株価', expected: 'österreich 株価' },
  { name: 'line breaks', text: 'one\n\ttwo', expected: 'one two' },
  { name: 'nothing left', text: '🚀 https://t.co/x …', expected: '' },
]

for (const { name, text, expected } of cases)
  test(name, () => {
    assert.equal(normalisedText(text), expected)
    assert.deepEqual(normalisedTokens(text), expected === '' ? [] : expected.split(' '))
  })

test('an id is the first 16 hex digits of the SHA-256 of the normalised text', () => {
  // printf 'apple inc up' | sha256sum
  assert.equal(textId('Apple, Inc. UP https://t.co/x'), 'ebd291a03202d0d7')
})

test('no text throws, and only letters, digits, underscores and single blanks are left', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) =>
      /^([\p{L}\p{N}_]+( [\p{L}\p{N}_]+)*)?$/u.test(normalisedText(text)),
    ),
  )
})
