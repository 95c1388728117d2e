import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findCashtags } from './cashtags.ts'

const cases = [
  { name: 'upper case', input: 'Buy $AAPL now', expected: ['AAPL'] },
  { name: 'lower case', input: '$spy up', expected: ['SPY'] },
  { name: 'share class after a dot', input: '$BRK.B', expected: ['BRK.B'] },
  { name: 'share class after a dash, lower case', input: '$brk-b', expected: ['BRK.B'] },
  { name: 'share class after a slash', input: '$BRK/B,', expected: ['BRK.B'] },
  { name: 'futures', input: '$ES_F', expected: ['ES_F'] },
  { name: 'digits after letters', input: '$SPX500', expected: ['SPX500'] },
  { name: 'in brackets and after a dot', input: '($TSLA) .$FB', expected: ['TSLA', 'FB'] },
  { name: 'two joined by a slash', input: '$AAPL/$MSFT', expected: ['AAPL', 'MSFT'] },
  { name: 'at the end of a sentence', input: 'I like $T. And $V!', expected: ['T', 'V'] },
  { name: 'before a possessive', input: "$MA's dividend", expected: ['MA'] },
  { name: 'an amount', input: '$5 $5M $1.2bn', expected: [] },
  { name: 'another currency', input: 'U$D 80', expected: [] },
  { name: 'inside a word', input: 'HEI$T E$T', expected: [] },
  { name: 'a word with signs for letters', input: '$TREET$ $GA!N', expected: [] },
  { name: 'a letter beyond ASCII follows', input: '$TÝLLO', expected: [] },
  { name: 'cut off by its source', input: '$AMD $TS…', expected: ['AMD'] },
  { name: 'too long for a ticker', input: '$ABCDEFGHIJK', expected: [] },
  { name: 'two signs', input: '$$ $$AAPL', expected: [] },
]

for (const { name, input, expected } of cases)
  test(`cashtags: ${name}`, () => {
    assert.deepEqual(
      findCashtags(input).map(({ ticker }) => ticker),
      expected,
    )
  })

test('a cashtag stands where it says', () => {
  const pieces = fc.constantFrom(
    '$',
    'AAPL',
    'brk',
    '.',
    '-',
    'B',
    '_F',
    ' ',
    '5',
    '…',
    'é',
    '\ud83d',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
      const text = parts.join('')
      for (const { written, start } of findCashtags(text))
        assert.equal(text.slice(start, start + written.length), written)
    }),
  )
})
