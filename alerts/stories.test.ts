import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { StoryIndex, similarityOf } from './stories.ts'

const options = { memoryMs: 600_000, capacity: 1_000 }

const range = (length: number, from: number): number[] =>
  Array.from({ length }, (_, index) => (from + index) >>> 0)

/** Agrees with `range(64, 0)` in all but every `nth` value. */
const differing = (nth: number): number[] =>
  range(64, 0).map((value, index) => (index % nth === 0 ? value + 1_000_000 : value))

const sighting = (position: string, signature: readonly number[], contentHash = position) => ({
  position,
  signature,
  contentHash,
})

describe('StoryIndex', () => {
  const table = [
    { name: 'the same signature', signature: range(64, 0), hash: 'b', same: true },
    { name: 'seven values in eight', signature: differing(8), hash: 'b', same: true },
    { name: 'half the values', signature: differing(2), hash: 'b', same: false },
    { name: 'another text', signature: range(64, 5_000), hash: 'b', same: false },
    { name: 'no signature, the same content', signature: [], hash: 'a', same: true },
    { name: 'no signature, other content', signature: [], hash: 'b', same: false },
  ]
  for (const { name, signature, hash, same } of table)
    it(`${name}: ${same ? 'one story' : 'two stories'}`, () => {
      const index = new StoryIndex(options)
      const first = index.observe(sighting('p1', range(64, 0), 'a'), 0)
      const second = index.observe(sighting('p2', signature, hash), 1)
      assert.equal(first.id === second.id, same)
    })

  it('forgets a story that nobody repeats, and keeps one that goes round', () => {
    const index = new StoryIndex({ memoryMs: 100, capacity: 10 })
    index.observe(sighting('quiet', range(64, 0)), 0)
    index.observe(sighting('round', range(64, 500)), 0)
    index.observe(sighting('again', range(64, 500)), 60)
    index.forget(120)
    assert.equal(index.observe(sighting('new', range(64, 0)), 120).id, 'new')
    assert.equal(index.observe(sighting('more', range(64, 500)), 120).id, 'round')
  })

  it('holds no more than its capacity, dropping the oldest', () => {
    const index = new StoryIndex({ memoryMs: 1_000_000, capacity: 3 })
    for (let n = 0; n < 10; n++) index.observe(sighting(`p${n}`, range(64, n * 1_000)), n)
    index.forget(10)
    assert.equal(index.size, 3)
    assert.equal(index.observe(sighting('x', range(64, 9_000)), 11).id, 'p9')
    assert.equal(index.observe(sighting('y', range(64, 0)), 11).id, 'y')
  })

  it('goes on from a saved index as if nothing had happened', () => {
    const post = fc.record({ seed: fc.nat({ max: 12 }), step: fc.nat({ max: 300 }) })
    fc.assert(
      fc.property(fc.array(post, { maxLength: 60 }), fc.nat({ max: 60 }), (posts, cut) => {
        const small = { memoryMs: 900, capacity: 6 }
        const run = (restartAt: number): string[] => {
          let index = new StoryIndex(small)
          let now = 0
          return posts.map(({ seed, step }, number) => {
            if (number === restartAt)
              index = new StoryIndex(small, JSON.parse(JSON.stringify(index.save())))
            now += step
            index.forget(now)
            const signature = seed % 3 === 0 ? differing(8 + seed) : range(64, seed * 1_000)
            return index.observe(sighting(`p${number}`, signature), now).id
          })
        }
        assert.deepEqual(run(cut), run(-1))
      }),
    )
  })
})

describe('similarityOf', () => {
  it('is the share of equal values', () => {
    assert.equal(similarityOf([1, 2, 3, 4], [1, 2, 9, 4]), 0.75)
    assert.equal(similarityOf([], []), 0)
    assert.equal(similarityOf([1], [1, 2]), 0)
  })
})
