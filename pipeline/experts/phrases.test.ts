import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Phrase, PhraseMatcher, wordsOf } from './phrases.ts'

/** `a|b ~2 c`, without classes. */
function phrase(written: string): Phrase {
  return [...written.matchAll(/(?:~(\d) )?(\S+)/g)].map(([, gap = '0', words = '']) => ({
    words: words.split('|'),
    gap: Number(gap),
  }))
}

const matcher = new PhraseMatcher(
  ['raise|raises ~2 guidance|outlook', 'up', 'a a', 'x ~1 y ~1 z', '<ticker> <gain>'].map(phrase),
  ['not', "won't"],
)

const cases = [
  { name: 'words in order', text: 'Raises guidance', expected: ['0'] },
  { name: 'words between', text: 'raises its full outlook', expected: ['0'] },
  { name: 'too many words between', text: 'raises its own full outlook', expected: [] },
  { name: 'another order', text: 'guidance raises', expected: [] },
  { name: 'the later of two beginnings', text: 'raises a b raises c guidance', expected: ['0'] },
  { name: 'the end of a sentence between', text: 'It raises. Guidance follows', expected: [] },
  { name: 'a full stop inside a word', text: 'up U.S. up', expected: ['1', '1'] },
  { name: 'a word does not count twice', text: 'a b', expected: [] },
  { name: 'overlapping', text: 'a a a', expected: ['2', '2'] },
  { name: 'gaps in a row', text: 'x 1 y z', expected: ['3'] },
  { name: 'shapes', text: '$ABC +4.5%', expected: ['4'] },
  { name: 'a negator before', text: 'will not raise guidance', expected: ['not 0'] },
  { name: 'a typographic apostrophe', text: 'won’t raise guidance', expected: ['not 0'] },
  { name: 'a negator at the edge of its reach', text: 'not x x up', expected: ['not 1'] },
  { name: 'a negator out of reach', text: 'not x x x up', expected: ['1'] },
  { name: 'a negator of another sentence', text: 'It is not. Up', expected: ['1'] },
  { name: 'a negator after', text: 'up, not down', expected: ['1'] },
  { name: 'a negator inside', text: 'raises not guidance', expected: ['0'] },
  { name: 'nothing', text: '', expected: [] },
]

for (const { name, text, expected } of cases)
  test(`phrases: ${name}`, () => {
    const found = matcher
      .find(text)
      .map(({ phrase, negated }) => `${negated ? 'not ' : ''}${phrase}`)
    assert.deepEqual(found, expected)
  })

const shapes = [
  { text: "Macy's lowers AT&T's S&P view", expected: ['macy', 'lowers', 'at&t', 's&p', 'view'] },
  { text: '+5% −2.0% 3% 1,600', expected: ['<gain>', '<loss>', '<percent>', '<number>'] },
  { text: '5%-6% 3-2%', expected: ['<percent>', '<percent>', '<number>', '<percent>'] },
  { text: '$SPX $BRK.B $36 $', expected: ['<ticker>', '<ticker>', '<number>'] },
  { text: 'All-time high🚀! Now?', expected: ['all-time', 'high', '🚀', '.', 'now', '.'] },
]

for (const { text, expected } of shapes)
  test(`words of ${text}`, () => assert.deepEqual([...wordsOf(text)], expected))

const vocabulary = ['raise', 'raises', 'guidance', 'outlook', 'up', 'a', 'x', 'y', 'z', 'not', 'b']

/** By definition: positions of the elements, tried in every way. */
function occursIn(words: readonly string[], elements: Phrase): boolean {
  const from = (element: number, low: number, high: number): boolean => {
    const wanted = elements[element]
    if (wanted === undefined) return true
    for (let at = low; at <= Math.min(high, words.length - 1); at++) {
      const next = at + 1
      const gap = elements[element + 1]?.gap ?? 0
      if (wanted.words.includes(words[at] ?? '') && from(element + 1, next, next + gap)) return true
    }
    return false
  }
  return from(0, 0, words.length)
}

test('a phrase is found where any choice of positions fits', () => {
  const three = phrase('x ~1 y ~1 z')
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...vocabulary), { maxLength: 12 }), (words) => {
      const found = matcher.find(words.join(' ')).some(({ phrase }) => phrase === 3)
      assert.equal(found, occursIn(words, three))
    }),
    { numRuns: 500 },
  )
})

const hostile = [
  'a '.repeat(10_000),
  'raises '.repeat(3_000),
  'x y '.repeat(5_000),
  'A'.repeat(20_000),
  "a'".repeat(10_000),
  'a-'.repeat(10_000),
  '+1,1.'.repeat(4_000),
  '$a'.repeat(10_000),
  '🚀'.repeat(10_000),
  '. '.repeat(10_000),
  'not '.repeat(5_000),
]

test('steps grow with the words, whatever they are', () => {
  for (const text of hostile) {
    matcher.find(text)
    // No word of the vocabulary may fill more than two states.
    assert.ok(matcher.steps <= 2 * text.length)
    const steps = matcher.steps
    matcher.find(text + text)
    assert.ok(matcher.steps <= 2 * steps + 2, `${text.slice(0, 9)}: ${matcher.steps}`)
  }
})

test('a text leaves nothing behind for the next one', () => {
  matcher.find('not raises')
  assert.deepEqual(matcher.find('guidance'), [])
  assert.deepEqual(matcher.find('up'), [{ phrase: 1, negated: false }])
})
