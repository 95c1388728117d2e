import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../errors.ts'
import { encodeRow } from './encode-row.ts'

describe('encodeRow', () => {
  it('repairs lone surrogates wherever they stand', () => {
    assert.equal(
      encodeRow({ text: 'a\ud800b', names: ['\udc00'] }),
      '{"text":"a\ufffdb","names":["\ufffd"]}',
    )
  })

  for (const number of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    1e39,
    -1e300,
  ]) {
    it(`refuses ${number}, alone and inside arrays`, () => {
      for (const row of [{ score: number }, { probabilities: [[0.5], [0.1, number]] }])
        assert.throws(
          () => encodeRow(row),
          (error) => error instanceof AppError && error.code === 'STORE',
        )
    })
  }

  it('keeps every well-formed text and finite number', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.float({ noNaN: true, noDefaultInfinity: true }),
        (text, score) => {
          const row: unknown = JSON.parse(encodeRow({ text, score }))
          assert.deepEqual(row, { text: text.toWellFormed(), score: score === 0 ? 0 : score })
        },
      ),
    )
  })

  it('is one line', () => {
    assert.doesNotMatch(encodeRow({ text: 'a\nb\rc' }), /[\n\r]/)
  })
})
