import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '../errors.ts'
import { storageFailure } from './storage-failure.ts'

describe('a failure of the storage', () => {
  const cases = [
    { name: 'no space', code: 'ENOSPC', expected: { code: 'DISK_FULL', retryable: true } },
    { name: 'no quota', code: 'EDQUOT', expected: { code: 'DISK_FULL', retryable: true } },
    { name: 'read-only', code: 'EROFS', expected: { code: 'DATA_FOLDER', retryable: false } },
    { name: 'no permission', code: 'EACCES', expected: { code: 'DATA_FOLDER', retryable: false } },
    { name: 'a broken disk', code: 'EIO', expected: { code: 'LOG', retryable: true } },
    { name: 'of the engine', code: undefined, expected: { code: 'LOG', retryable: true } },
  ]
  for (const { name, code, expected } of cases)
    it(`names folder and reason: ${name}`, () => {
      const cause = new Error('the\nreason')
      const { code: answer, retryable, message, cause: kept } = storageFailure('/data', code, cause)
      assert.deepEqual({ code: answer, retryable }, expected)
      assert.match(message, /\/data.*the reason/)
      assert.equal(kept, cause)
    })

  it('stays what it was when it has a code already', () => {
    const error = new AppError('DATA_FOLDER_HELD', 'held')
    assert.equal(storageFailure('/data', undefined, error), error)
  })
})
