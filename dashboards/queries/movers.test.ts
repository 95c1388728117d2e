import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { surprise } from './movers.ts'

const scores = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
  minLength: 1,
  maxLength: 50,
})

const moments = (values: readonly number[]) => ({
  posts: values.length,
  sum: values.reduce((total, value) => total + value, 0),
  squares: values.reduce((total, value) => total + value * value, 0),
})

describe('surprise', () => {
  it('is finite, not negative and the same both ways', () => {
    fc.assert(
      fc.property(scores, scores, (recent, before) => {
        const value = surprise(moments(recent), moments(before))
        assert.ok(Number.isFinite(value) && value >= 0)
        assert.equal(value, surprise(moments(before), moments(recent)))
      }),
    )
  })

  it('grows with the number of posts that say the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (posts) => {
        const of = (count: number) =>
          surprise(moments(Array(count).fill(-0.8)), moments(Array(100).fill(0.1)))
        assert.ok(of(posts + 1) > of(posts))
      }),
    )
  })

  it('is nothing without posts on one side', () => {
    assert.equal(surprise(moments([]), moments([0.3])), 0)
    assert.equal(surprise(moments([0.3]), moments([])), 0)
  })
})
