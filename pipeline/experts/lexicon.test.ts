import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLethal } from './expert.ts'
import { compoundFeatures, compoundScore, createLexiconExpert, readLexicon } from './lexicon.ts'
import { argmax } from './probabilities.ts'

const expert = createLexiconExpert(readLexicon())

async function sentimentOf(text: string, kind: 'news' | 'comment') {
  const [output] = await expert.classify([{ kind, text, title: '' }])
  return output === undefined || isLethal(output) ? [] : (output.sentiment ?? [])
}

const cases = [
  { name: 'good words', text: 'What a great, wonderful day!', sign: 1 },
  { name: 'bad words', text: 'This is a horrible disaster', sign: -1 },
  { name: 'a negation', text: 'not good', sign: -1 },
  { name: 'no word of the list', text: 'Fed minutes at noon', sign: 0 },
  { name: 'nothing', text: '', sign: 0 },
]

for (const { name, text, sign } of cases)
  test(`VADER: ${name}`, () => assert.equal(Math.sign(compoundScore(text)), sign))

test('in a comment the words decide, in news neutral has a longer reach', async () => {
  assert.equal(argmax(await sentimentOf('great wonderful awesome', 'comment')), 2)
  assert.equal(argmax(await sentimentOf('horrible terrible disaster', 'comment')), 0)
  const [news, comment] = await Promise.all(
    (['news', 'comment'] as const).map((kind) => sentimentOf('nice', kind)),
  )
  assert.ok((news?.[1] ?? 0) > (comment?.[1] ?? 1))
})

test('the topic is not its task', () => assert.deepEqual(expert.tasks, ['sentiment']))

test('features are 1 and the two sides of the score', () => {
  assert.deepEqual(compoundFeatures(0.5), [1, 0.5, 0])
  assert.deepEqual(compoundFeatures(-0.5), [1, 0, 0.5])
})

test('an endless word does not block the process', () => {
  const before = performance.now()
  compoundScore(`${'A'.repeat(1_999)}a`)
  // Uncut it takes seconds; the bound is wide for a busy machine.
  assert.ok(performance.now() - before < 500)
})

test('any text has a score in -1..1', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => Math.abs(compoundScore(text)) <= 1),
  )
})
