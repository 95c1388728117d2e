import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { decodeRecord, encodedBytes, encodeRecord, timestampOf } from './record-codec.ts'

it('a record comes back from its bytes as it went in, and takes as many as foretold', () => {
  const key = fc.option(fc.string({ unit: 'binary' }), { nil: null })
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array())
  const time = fc.integer({ min: 0, max: 8_640_000_000_000_000 })
  fc.assert(
    fc.property(key, value, time, fc.nat(), (key, value, timestamp, offset) => {
      const bytes = encodeRecord({ key, value }, timestamp)
      assert.equal(bytes.length, encodedBytes({ key, value }))
      assert.equal(timestampOf(bytes), timestamp)
      assert.deepEqual(decodeRecord(bytes, offset), {
        offset,
        timestamp,
        key,
        value: Buffer.from(value as string),
      })
    }),
  )
})
