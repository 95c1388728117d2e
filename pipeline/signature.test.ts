import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { estimatedJaccard, signature, signatureLength } from './signature.ts'

const tokens = fc.array(fc.string(), { minLength: 1, maxLength: 40 })

test('a signature has unsigned 32-bit values, and depends on the set of tokens alone', () => {
  fc.assert(
    fc.property(tokens, (list) => {
      const values = signature(list)
      assert.equal(values.length, signatureLength)
      assert.ok(values.every((v) => Number.isInteger(v) && v >= 0 && v < 2 ** 32))
      assert.deepEqual(signature([...list, ...list].reverse()), values)
    }),
  )
})

test('the estimate is near the Jaccard similarity', () => {
  const words = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `word${from + i}`)
  const table = [0, 0.25, 0.5, 0.75, 1]
  for (const similarity of table) {
    const rounds = 50
    let sum = 0
    for (let round = 0; round < rounds; round++) {
      const start = round * 1_000
      const shared = Math.round(100 * similarity)
      const rest = (100 - shared) / 2
      const common = words(start, start + shared)
      const a = [...common, ...words(start + 200, start + 200 + rest)]
      const b = [...common, ...words(start + 400, start + 400 + rest)]
      const exact = shared / (new Set([...a, ...b]).size || 1)
      sum += estimatedJaccard(signature(a), signature(b)) - exact
    }
    // Standard error of the mean of 50 estimates of 32 values: at most 0.0125.
    assert.ok(Math.abs(sum / rounds) < 0.04, `${similarity}: off by ${sum / rounds}`)
  }
})

test('texts without tokens are the same, and other than any text with one', () => {
  assert.deepEqual(signature([]), [])
  assert.equal(estimatedJaccard([], []), 1)
  assert.equal(estimatedJaccard([], signature(['a'])), 0)
})
