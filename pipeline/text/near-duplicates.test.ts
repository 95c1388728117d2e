import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nearDuplicateClusters } from './near-duplicates.ts'

const cases = [
  { name: 'equal sets', texts: ['a b c', 'c b a a'], threshold: 0.7, expected: [0, 0] },
  {
    name: 'at the threshold',
    texts: ['a b c d e f g', 'a b c d e f g h i j'],
    threshold: 0.7,
    expected: [0, 0],
  },
  { name: 'below it', texts: ['a b c', 'a b d'], threshold: 0.7, expected: [0, 1] },
  {
    name: 'a chain',
    texts: ['a b c d', 'x', 'a b c d e', 'b c d e'],
    threshold: 0.7,
    expected: [0, 1, 0, 0],
  },
  { name: 'texts without tokens', texts: ['', 'a', ''], threshold: 0.7, expected: [0, 1, 0] },
]

const tokens = (text: string) => text.split(' ').filter((token) => token !== '')

for (const { name, texts, threshold, expected } of cases)
  test(name, () =>
    assert.deepEqual(Array.from(nearDuplicateClusters(texts.map(tokens), threshold)), expected),
  )

test('the clusters are those of comparing every pair', () => {
  const text = fc.array(fc.constantFrom(...'abcdefgh'), { maxLength: 8 })
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 14 }),
      fc.constantFrom(0.3, 0.5, 0.7, 0.9, 1),
      (texts, threshold) => {
        assert.deepEqual(
          Array.from(nearDuplicateClusters(texts, threshold)),
          clustersByEveryPair(texts, threshold),
        )
      },
    ),
    { numRuns: 300 },
  )
})

function clustersByEveryPair(texts: readonly string[][], threshold: number): number[] {
  const clusters = texts.map((_, i) => i)
  for (let round = 0; round < texts.length; round++)
    texts.forEach((a, i) => {
      texts.forEach((b, j) => {
        if (jaccard(a, b) < threshold) return
        const least = Math.min(clusters[i] ?? i, clusters[j] ?? j)
        clusters[i] = least
        clusters[j] = least
      })
    })
  return clusters
}

function jaccard(a: readonly string[], b: readonly string[]): number {
  const [x, y] = [new Set(a), new Set(b)]
  const union = new Set([...x, ...y]).size
  return union === 0 ? 1 : [...x].filter((token) => y.has(token)).length / union
}
