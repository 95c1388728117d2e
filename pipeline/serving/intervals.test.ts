import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../infra/seeded-random.ts'
import { pairedDifference, proportion } from './intervals.ts'

const rounded = (values: readonly number[] | undefined | null) =>
  values?.map((value) => Number(value.toFixed(4)))

describe('proportion', () => {
  it('is the published example of the score interval (Newcombe 1998, 81 of 263)', () => {
    assert.deepEqual(rounded(proportion(81, 263).interval), [0.2553, 0.3662])
    assert.deepEqual(rounded(proportion(0, 20).interval), [0, 0.1611])
  })

  it('is nothing without posts', () => {
    assert.deepEqual(proportion(0, 0), { n: 0, share: null, interval: null })
    assert.equal(pairedDifference({ onlyA: 0, onlyB: 0, n: 0 }), null)
  })
})

describe('pairedDifference', () => {
  it('holds the true difference in about 95 of 100 samples of 200 labels', () => {
    const random = seededRandom(7)
    // A alone is right on 12% of the posts, B alone on 7%.
    const samples = 2_000
    let held = 0
    for (let sample = 0; sample < samples; sample += 1) {
      const pairs = { onlyA: 0, onlyB: 0, n: 200 }
      for (let post = 0; post < pairs.n; post += 1) {
        const u = random()
        if (u < 0.12) pairs.onlyA += 1
        else if (u < 0.19) pairs.onlyB += 1
      }
      const [low, high] = pairedDifference(pairs)?.interval ?? [0, 0]
      if (low <= 0.05 && 0.05 <= high) held += 1
    }
    assert.ok(held > 0.935 * samples && held < 0.97 * samples, `${held / samples}`)
  })
})
