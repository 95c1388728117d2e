import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeEventId, encodeEventId } from './event-id.ts'

describe('event id', () => {
  it('comes back as it went, in characters of a header', () => {
    const offsets = fc.array(fc.nat(10 ** 13), { maxLength: 64 })
    fc.assert(
      fc.property(offsets, (list) => {
        const cursor = { ...list }
        const id = encodeEventId('posts@12', cursor)
        assert.match(id, /^[\x21-\x7e]+$/)
        assert.deepEqual(decodeEventId(id), { logTopic: 'posts@12', cursor })
      }),
    )
  })

  it('is refused, never half read, when it is anything else', () => {
    for (const text of [
      '',
      'x',
      'posts@0',
      'posts@0~1',
      'posts@0~1.x',
      'posts@0~0.1;1.2',
      'posts@0~0.-1',
      '~0.1',
    ])
      assert.equal(decodeEventId(text), undefined, text)
    fc.assert(
      fc.property(fc.string(), (text) => {
        const position = decodeEventId(text)
        assert.ok(position === undefined || /^[\w.@-]+$/.test(position.logTopic))
      }),
    )
  })
})
