import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { windowsOf } from './windows.ts'

const opening = 101
const closing = 102
const shape = (windowTokens: number, overlapTokens: number) => ({
  windowTokens,
  overlapTokens,
  opening,
  closing,
})

const cases = [
  { name: 'nothing', tokens: [], expected: [[101, 102]] },
  { name: 'one token', tokens: [7], expected: [[101, 7, 102]] },
  { name: 'a full window', tokens: [1, 2, 3, 4, 5, 6], expected: [[101, 1, 2, 3, 4, 5, 6, 102]] },
  {
    name: 'one more',
    tokens: [1, 2, 3, 4, 5, 6, 7],
    expected: [
      [101, 1, 2, 3, 4, 5, 6, 102],
      [101, 5, 6, 7, 102],
    ],
  },
]

for (const { name, tokens, expected } of cases)
  test(`windows of 8 that share 2: ${name}`, () => {
    const windows = windowsOf(tokens, shape(8, 2))
    assert.deepEqual(
      windows.map((window) => [...window]),
      expected,
    )
  })

const texts = fc.record({
  // Positions as ids: what a window holds says where it was taken.
  tokens: fc.nat(3_000).map((length) => Array.from({ length }, (_, i) => 1_000 + i)),
  shape: fc
    .tuple(fc.integer({ min: 8, max: 256 }), fc.nat(250))
    .map(([windowTokens, overlap]) => shape(windowTokens, Math.min(overlap, windowTokens - 3))),
})

test('every token is read, in order, and neighbours share as many as they should', () => {
  fc.assert(
    fc.property(texts, ({ tokens, shape }) => {
      const contents = windowsOf(tokens, shape).map((window) => {
        assert.equal(window[0], opening)
        assert.equal(window.at(-1), closing)
        assert.ok(window.length <= shape.windowTokens)
        return [...window.subarray(1, -1)]
      })
      const again = contents.flatMap((content, i) =>
        i === 0 ? content : content.slice(shape.overlapTokens),
      )
      assert.deepEqual(again, tokens)
      contents.slice(1).forEach((content, i) => {
        assert.deepEqual(
          content.slice(0, shape.overlapTokens),
          contents[i]?.slice(contents[i].length - shape.overlapTokens),
        )
        assert.ok(content.length > shape.overlapTokens)
      })
    }),
  )
})
