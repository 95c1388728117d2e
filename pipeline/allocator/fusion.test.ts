import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fusionMethods } from '../contract.ts'
import { distributions } from '../testing/distributions.ts'
import { type FusionContext, fuse } from './fusion.ts'
import { createStacking } from './stacking.ts'

const context: FusionContext = {
  task: 'sentiment',
  kind: 'comment',
  stacking: createStacking([
    {
      task: 'sentiment',
      kind: 'comment',
      weights: { lexicon: [0.3, 0.4, 0.5], minilm: [1, 0.9, 0.8] },
      biases: [0.1, 0, -0.1],
      penalty: 1,
      rows: 1,
    },
  ]),
}

const weight = fc.double({ min: 0.01, max: 10, noNaN: true })
const opinions = fc
  .tuple(weight, weight, distributions(3), distributions(3))
  .map(([a, b, lexicon, minilm]) => [
    { expert: 'lexicon', weight: a, probabilities: lexicon },
    { expert: 'minilm', weight: b, probabilities: minilm },
  ])

const same = (a: readonly number[], b: readonly number[]) => {
  assert.equal(a.length, b.length)
  a.forEach((value, k) => {
    assert.ok(Math.abs(value - (b[k] ?? 0)) < 1e-12, `${a} is not ${b}`)
  })
}

for (const method of fusionMethods) {
  test(`${method} gives a distribution, and does what it says`, () => {
    fc.assert(
      fc.property(opinions, (given) => {
        const found = fuse(method, given, context)
        assert.equal(found.method, method)
        assert.ok(found.probabilities.every((p) => p >= 0))
        assert.ok(Math.abs(found.probabilities.reduce((a, b) => a + b, 0) - 1) < 1e-9)
      }),
    )
  })

  test(`${method}: the order of the experts does not matter`, () => {
    fc.assert(
      fc.property(opinions, (given) => {
        const [one, other] = [given, given.toReversed()].map(
          (order) => fuse(method, order, context).probabilities,
        )
        same(one ?? [], other ?? [])
      }),
    )
  })

  test(`${method}: an expert of weight 0 changes nothing`, () => {
    fc.assert(
      fc.property(opinions, distributions(3), (given, probabilities) => {
        const more = [...given, { expert: 'linear', weight: 0, probabilities }]
        assert.deepEqual(fuse(method, more, context), fuse(method, given, context))
      }),
    )
  })

  test(`${method}: no opinion is no distribution`, () => {
    assert.deepEqual(fuse(method, [], context).probabilities, [])
  })
}

test('one expert is itself when averaged', () => {
  fc.assert(
    fc.property(distributions(3), weight, (probabilities, weight) => {
      const one = { expert: 'linear', weight, probabilities }
      same(fuse('average', [one], context).probabilities, probabilities)
    }),
  )
})

const without = [
  { name: 'these experts', experts: ['lexicon', 'linear'], context },
  { name: 'this kind', experts: ['lexicon', 'minilm'], context: { ...context, kind: 'news' } },
  {
    name: 'anything',
    experts: ['lexicon', 'minilm'],
    context: { task: 'sentiment', kind: 'comment' },
  },
] as const

for (const { name, experts, context: of } of without)
  test(`stacking that was not fitted for ${name} is an average, and says so`, () => {
    const given = experts.map((expert, i) => ({
      expert,
      weight: 1,
      probabilities: i === 0 ? [0.7, 0.3, 0] : [0.1, 0.1, 0.8],
    }))
    assert.deepEqual(fuse('stacking', given, of), fuse('average', given, of))
  })
