import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createLinker, maxMentions } from './link.ts'

const linker = createLinker()
const at2014 = new Date('2014-02-01')
const at2020 = new Date('2020-06-26')
const at2023 = new Date('2023-03-01')
const meta = 'cik:1326801'
const apple = 'cik:320193'
const alphabet = 'cik:1652044'

const cases = [
  { name: '$FB of 2020 is Meta', input: '$FB', at: at2020, expected: [meta] },
  { name: '$META of 2023 is the same', input: '$META', at: at2023, expected: [meta] },
  { name: '$META of 2020 is nobody', input: '$META', at: at2020, expected: ['unresolved:META'] },
  { name: 'an old ticker lives on', input: '$FB', at: at2023, expected: [meta] },
  { name: '$GOLD of 2020 is Barrick', input: '$GOLD', at: at2020, expected: ['cik:756894'] },
  { name: '$GOLD of 2014 is Randgold', input: '$GOLD', at: at2014, expected: ['us:GOLD-2018'] },
  { name: '$SQ is Block', input: '$SQ', at: at2020, expected: ['cik:1512673'] },
  { name: '$P of 2014 is Pandora', input: '$P', at: at2014, expected: ['us:P-2019'] },
  { name: 'share classes are one', input: '$GOOG $GOOGL', at: at2020, expected: [alphabet] },
  {
    name: 'any way to write a class',
    input: '$BRK.B $brk-a',
    at: at2020,
    expected: ['cik:1067983'],
  },
  { name: 'a sentence ends behind it', input: 'sold $AAPL.In', at: at2020, expected: [apple] },
  { name: 'an exchange abroad', input: '$AAPL.TO', at: at2020, expected: ['unresolved:AAPL.TO'] },
  {
    name: 'an index and a fund',
    input: '$SPX $SPY',
    at: at2020,
    expected: ['index:SPX', 'us:SPY'],
  },
  { name: 'a crypto currency', input: '$BTC', at: at2020, expected: ['crypto:BTC'] },
  { name: 'unknown', input: '$QZXW', at: at2020, expected: ['unresolved:QZXW'] },
  { name: 'unknown in small letters', input: '$lol', at: at2020, expected: [] },
  { name: '$DOW alone', input: '$DOW pays', at: at2020, expected: ['cik:1751788'] },
  {
    name: '$DOW beside $SPX',
    input: '$DOW $SPX',
    at: at2020,
    expected: ['index:DJI', 'index:SPX'],
  },
  { name: 'a name', input: 'Facebook loses Ford', at: at2020, expected: [meta, 'cik:37996'] },
  { name: 'a word', input: 'we ford the river', at: at2020, expected: [] },
  { name: 'shouted', input: 'FORD RECALLS', at: at2020, expected: ['cik:37996'] },
  {
    name: 'in small letters',
    input: 'netflix and google',
    at: at2020,
    expected: ['cik:1065280', alphabet],
  },
  { name: 'a possessive', input: "Apple's phone", at: at2020, expected: [apple] },
  {
    name: 'a lost apostrophe',
    input: 'Apples phone, Ciscos scare',
    at: at2020,
    expected: [apple, 'cik:858877'],
  },
  {
    name: 'an HTML entity',
    input: 'AT&amp;T and S&amp;P 500',
    at: at2020,
    expected: ['cik:732717', 'index:SPX'],
  },
  {
    name: 'two words with a dash',
    input: 'Coca-Cola, Coca Cola',
    at: at2020,
    expected: ['cik:21344'],
  },
  {
    name: 'the longest name',
    input: 'Bank of New York Mellon',
    at: at2020,
    expected: ['cik:1390777'],
  },
  { name: 'an abbreviation in small letters', input: 'Ge, gm, hp', at: at2020, expected: [] },
  { name: 'a hashtag', input: '#HomeDepot #apple', at: at2020, expected: ['cik:354950', apple] },
  { name: 'a handle', input: '@Amazon @netflix', at: at2020, expected: [] },
  { name: 'a link', input: 'https://x.com/Apple www.google.com', at: at2020, expected: [] },
  { name: 'lines apart', input: 'Home\nDepot', at: at2020, expected: [] },
  { name: 'a common word', input: 'Target raised. Gap up. Square one', at: at2020, expected: [] },
  {
    name: 'a common word and shares',
    input: 'Target shares fall',
    at: at2020,
    expected: ['cik:27419'],
  },
  {
    name: 'a common word and its ticker',
    input: 'Square up $SQ',
    at: at2020,
    expected: ['cik:1512673'],
  },
  { name: 'a common word as a hashtag', input: '#target #gap', at: at2020, expected: [] },
  { name: 'a name inside another', input: 'Dow Theory says', at: at2020, expected: [] },
  { name: 'bare tickers', input: 'T V A ALL NOW IT ON AAPL', at: at2020, expected: [] },
  {
    name: 'with their sign',
    input: '$T $V $A $ALL',
    at: at2020,
    expected: ['cik:732717', 'cik:1403161', 'cik:1090872', 'cik:899051'],
  },
]

for (const { name, input, at, expected } of cases)
  test(`link: ${name}`, () => {
    assert.deepEqual(
      linker.link({ text: input }, at).map(({ instrument }) => instrument),
      expected,
    )
  })

test('the first mention of an instrument counts, with its place', () => {
  assert.deepEqual(linker.link({ text: 'Now Facebook ($FB) and $AAPL' }, at2020), [
    {
      instrument: meta,
      written: 'Facebook',
      how: 'name',
      start: 4,
      end: 12,
      relevance: (1 + 2 / 3) / 2,
    },
    { instrument: apple, written: '$AAPL', how: 'cashtag', start: 23, end: 28, relevance: 2 / 3 },
  ])
})

test('tickers of the post count, whatever their writing, behind those of the text', () => {
  const post = { text: 'On $AAPL', tickers: ['$fb', 'AAPL', 'QZXW', '', '5', '<b>'] }
  assert.deepEqual(
    linker.link(post, at2020).map(({ instrument, how, start }) => [instrument, how, start]),
    [
      [apple, 'cashtag', 3],
      [meta, 'ticker-field', -1],
      ['unresolved:QZXW', 'ticker-field', -1],
    ],
  )
})

test('a ticker of the post supports a common word', () => {
  const [mention] = linker.link({ text: 'Target rises', tickers: ['TGT'] }, at2020)
  assert.deepEqual([mention?.how, mention?.written], ['name', 'Target'])
})

test('what the title names is what the post is about', () => {
  const post = { title: 'Boeing cuts jobs', text: 'With $AAL, $DAL and Boeing' }
  const relevance = linker.link(post, at2020).map((mention) => [mention.written, mention.relevance])
  assert.deepEqual(relevance, [
    ['$AAL', 0.75],
    ['$DAL', 0.5],
    ['Boeing', 1],
  ])
})

test('a title alone has no place in the text', () => {
  const [mention] = linker.link({ title: 'Boeing', text: 'cuts jobs' }, at2020)
  assert.deepEqual([mention?.start, mention?.end, mention?.relevance], [-1, -1, 1])
})

test('a list names at most fifty, each of little relevance', () => {
  const letters = [...'ABCDEFGHIJ']
  const text = letters.flatMap((a) => letters.map((b) => `$Q${a}Z${b}X`)).join(' ')
  const mentions = linker.link({ text }, at2020)
  assert.equal(mentions.length, maxMentions)
  assert.ok(mentions.slice(1).every(({ relevance }) => relevance < 0.02))
})

test('an instrument tells its name and the ticker of today', () => {
  assert.deepEqual(linker.instrument(meta), {
    id: meta,
    name: 'Meta Platforms',
    ticker: 'META',
    type: 'company',
  })
  assert.equal(linker.instrument('us:P-2019')?.ticker, 'P')
  assert.equal(linker.instrument('index:SPX')?.type, 'index')
  assert.equal(linker.instrument('unresolved:QZXW'), undefined)
})

test('on any text: offsets slice to what is written, relevance is a share, order is that of the text', () => {
  const pieces = fc.oneof(
    fc.constantFrom(
      '$AAPL',
      '$',
      '#',
      '@',
      'Apple',
      "'s",
      'S&amp;P',
      ' 500',
      '&',
      ' ',
      '\n',
      '.',
      'Ford',
    ),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom('\ud83d', '\u200f', '\u0000', 'İ', 'ß', '👩‍🚀', '…'),
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const text = parts.join('')
      const mentions = linker.link({ text }, at2020)
      for (const { start, end, written } of mentions) assert.equal(text.slice(start, end), written)
      for (const { relevance } of mentions) assert.ok(relevance > 0 && relevance <= 1)
      const starts = mentions.map(({ start }) => start)
      assert.deepEqual(
        starts,
        starts.toSorted((a, b) => a - b),
      )
    }),
  )
})

test('the longest text is linked in a moment, whatever it repeats', () => {
  const repeated = [
    '$',
    'a ',
    '$A',
    '$A ',
    '&amp;',
    '#',
    'Bank of ',
    'https://',
    'A',
    '@',
    "'",
    '&#',
    '$A.',
  ]
  for (const piece of repeated) {
    const text = piece.repeat(20_000 / piece.length)
    const before = process.cpuUsage()
    linker.link({ text }, at2020)
    const { user } = process.cpuUsage(before)
    assert.ok(user < 400_000, `${JSON.stringify(piece)} took ${user} microseconds`)
  }
})
