import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bucketCount, NgramExtractor, type NgramSpec } from './ngrams.ts'

const spec: NgramSpec = {
  wordBits: 20,
  charBits: 20,
  wordLength: 2,
  pairGap: 0,
  charFrom: 3,
  charTo: 3,
}
const firstCharBucket = 2 ** spec.wordBits

function ngrams(text: string, of: NgramSpec = spec): number[] {
  const extractor = new NgramExtractor(of)
  extractor.extract(text)
  return Array.from(extractor.buckets.slice(0, extractor.count))
}

const words = (text: string, of: NgramSpec = spec) =>
  ngrams(text, of).filter((bucket) => bucket < firstCharBucket)
const characters = (text: string) => ngrams(text).filter((bucket) => bucket >= firstCharBucket)

/** Words alone: the single words and the bigrams of each and the two edges give 2 n + 1. */
const wordCounts = [
  { name: 'words', input: 'fed cuts rates', expected: 3 },
  { name: 'a joined word', input: "s&p u.s. don't", expected: 4 },
  { name: 'percent and prefix', input: '-5% #gold @user', expected: 4 },
  { name: 'an emoji is one symbol', input: '🚀', expected: 1 },
  { name: 'a lone surrogate', input: '\ud83d', expected: 1 },
  { name: 'letters of another script', input: '株価 下落', expected: 2 },
]

for (const { name, input, expected } of wordCounts)
  test(`words: ${name}`, () => assert.equal(words(input).length, 2 * expected + 1))

const sames = [
  { name: 'case', a: 'Fed CUTS', b: 'fed cuts' },
  { name: 'digits', a: 'up 17%', b: 'up 42%' },
  { name: 'cashtags', a: '$FB falls', b: '$BRK.B falls' },
]

for (const { name, a, b } of sames)
  test(`${name} makes no difference`, () => assert.deepEqual(ngrams(a), ngrams(b)))

test('character n-grams cross words and reach a blank beyond both ends', () => {
  assert.equal(characters('ab').length, 2)
  assert.equal(characters('up 5').length, 4)
  assert.deepEqual(characters('a b').slice(1, 2), characters('xa bx').slice(2, 3))
})

test('a pair is the same with one word between as with three, and none with four', () => {
  const pairs: NgramSpec = { ...spec, wordLength: 1, pairGap: 3 }
  const alone = new Set(['profit', 'fell'].flatMap((word) => words(word, pairs)))
  const shared = (text: string) => {
    const others = new Set(words(text, pairs))
    return words('profit a fell', pairs).filter(
      (bucket) => others.has(bucket) && !alone.has(bucket),
    )
  }
  assert.equal(shared('profit b c d fell').length, 1)
  assert.equal(shared('profit b c d e fell').length, 0)
})

test('any text stays within the buckets, and leaves nothing behind for the next', () => {
  const text = fc.string({ unit: 'binary', maxLength: 3_000 })
  const small: NgramSpec = { ...spec, wordBits: 4, charBits: 5, pairGap: 3, charTo: 5 }
  const reused = new NgramExtractor(small)
  fc.assert(
    fc.property(text, (input) => {
      reused.extract(input)
      const found = Array.from(reused.buckets.slice(0, reused.count))
      assert.ok(found.every((bucket) => bucket >= 0 && bucket < bucketCount(small)))
      assert.deepEqual(found, ngrams(input, small))
    }),
  )
})
