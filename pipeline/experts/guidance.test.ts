import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../infra/errors.ts'
import { isLethal } from './expert.ts'
import { createGuidanceExpert, GuidanceFeatures, readGuidance } from './guidance.ts'
import { readGuidanceTables } from './guidance-patterns.ts'
import { PhraseMatcher } from './phrases.ts'

const guidance = readGuidance()
const expert = createGuidanceExpert(guidance)
const { patterns, negators } = guidance.tables
const features = new GuidanceFeatures(guidance.tables)

function featuresOf(text: string): string[] {
  const found = features.of(text)
  return features.names.filter((_, i) => found[i] === 1)
}

async function sentimentOf(text: string, kind: 'news' | 'comment' = 'news') {
  const [output] = await expert.classify([{ kind, text, title: '' }])
  return output === undefined || isLethal(output) ? [] : (output.sentiment ?? [])
}

test('each phrase is found in its example, without a negation', () => {
  const matcher = new PhraseMatcher(
    patterns.map(({ phrase }) => phrase),
    negators,
  )
  const missing = patterns.filter(
    ({ example }, index) =>
      !matcher.find(example).some(({ phrase, negated }) => phrase === index && !negated),
  )
  assert.deepEqual(
    missing.map(({ written, example }) => `${written}: ${example}`),
    [],
  )
})

test('no phrase stands in the table twice', () => {
  const written = patterns.map((pattern) => pattern.written)
  assert.equal(new Set(written).size, written.length)
})

test('the maps have a weight for each feature of the tables', () => {
  assert.deepEqual(guidance.manifest.features, features.names)
  for (const map of [guidance.manifest.maps.news, guidance.manifest.maps.comment])
    for (const row of map) assert.equal(row.length, features.names.length)
})

const negations = [
  { text: 'Macy raises its guidance', expected: ['guidance up'] },
  { text: 'Macy does not raise its guidance', expected: ['negated up'] },
  { text: 'Macy never said it would cut its dividend', expected: ['payout down'] },
  { text: 'Macy is not cutting its dividend', expected: ['negated down'] },
  { text: 'Profit fails to beat estimates', expected: ['negated up'] },
  { text: "Sales didn't miss expectations", expected: ['negated down'] },
  { text: 'The company no longer expects growth', expected: ['guidance down'] },
  { text: 'Losses were less than feared', expected: ['results up'] },
  { text: 'Found not guilty', expected: ['legal up'] },
  { text: 'No news. Shares jump 5%', expected: ['price up'] },
]

for (const { text, expected } of negations)
  test(`features: ${text}`, () => assert.deepEqual(featuresOf(text), ['any', ...expected]))

const verdicts = [
  { text: 'GameStop EPS misses by $0.66, misses on revenue', likeliest: 0 },
  { text: 'Shares plunge 12% after the company cuts its outlook', likeliest: 0 },
  { text: 'First Choice declares $0.25 dividend', likeliest: 1 },
  { text: 'Fed minutes at noon', likeliest: 1 },
  { text: 'Arrow stock price target raised to $87', likeliest: 2 },
]

for (const { text, likeliest } of verdicts)
  test(`verdict: ${text}`, async () => {
    const found = await sentimentOf(text)
    assert.equal(found.indexOf(Math.max(...found)), likeliest)
  })

test('only sentiment is its task', () => assert.deepEqual(expert.tasks, ['sentiment']))

const hostile = [
  '',
  '\0',
  '\ud800 shares \udc00 fall',
  '__proto__ constructor toString',
  'raises '.repeat(3_000),
  '<raise> ~3 <outlook> <ticker>',
  `${'A'.repeat(19_999)}a`,
  '&lt;script&gt; shares fall',
]

test('any text has a distribution', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.constantFrom(...hostile),
        fc.string({ unit: 'binary' }),
        fc
          .array(fc.constantFrom('not', ...patterns.map(({ example }) => example)))
          .map((s) => s.join(' ')),
      ),
      fc.constantFrom('news' as const, 'comment' as const),
      async (text, kind) => {
        const found = await sentimentOf(text, kind)
        assert.equal(found.length, 3)
        assert.ok(found.every((p) => p >= 0 && p <= 1))
        assert.ok(Math.abs(found.reduce((a, b) => a + b, 0) - 1) < 1e-9)
      },
    ),
    { numRuns: 200 },
  )
})

test('names of classes in a text are words like others', () => {
  assert.deepEqual(featuresOf('<ticker> <gain>'), ['any'])
})

const bytes = (text: string) => new TextEncoder().encode(text)
const damaged = [
  { name: 'a class', table: 'group,direction,pattern,example\nresults,up,<beats>,x\n' },
  { name: 'a direction', table: 'group,direction,pattern,example\nresults,sideways,up,x\n' },
]

for (const { name, table } of damaged)
  test(`refuses ${name} that nobody knows`, () => {
    assert.throws(
      () => readGuidanceTables(bytes(table), bytes('class,words\nbeat,beat beats\n')),
      (error) => error instanceof AppError && error.code === 'MODEL',
    )
  })
