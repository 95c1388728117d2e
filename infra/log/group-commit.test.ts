import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { AppError } from '../errors.ts'
import { createGroupCommit, type GroupCommit, type WriteJob } from './group-commit.ts'

/** A writer whose transactions commit in a later turn, or fail with what `failNext` was given. */
function createBench(): { writer: GroupCommit; log: string[]; failNext(error: Error): void } {
  const log: string[] = []
  let failure: Error | undefined
  const note = (word: string) => () => void log.push(word)
  const writer = createGroupCommit(
    async (work) => {
      work()
      await setImmediate()
      const error = failure
      failure = undefined
      if (error !== undefined) throw error
    },
    { begin: note('begin'), end: note('end'), committed: note('committed') },
  )
  return {
    writer,
    log,
    failNext(error) {
      failure = error
    },
  }
}

const job = (result: string, bytes = 1): WriteJob<string> => ({
  bytes,
  run: () => result,
  done: () => {},
})
const throwing = (error: Error): WriteJob<string> => ({
  ...job(''),
  run() {
    throw error
  },
})

describe('the group commit', () => {
  it('gives one transaction to all jobs that came during the last one', async () => {
    const { writer, log } = createBench()
    const answers = ['a', 'b', 'c'].map((name) => writer.submit(job(name)))
    assert.deepEqual(await Promise.all(answers), ['a', 'b', 'c'])
    await writer.idle()
    assert.equal(log.join(' '), 'begin end committed begin end committed')
  })

  it('does not put more into one transaction than it should', async () => {
    const { writer, log } = createBench()
    const megabytes = [9, 3, 2, 1]
    await Promise.all(megabytes.map((size) => writer.submit(job('x', size * 1024 * 1024))))
    assert.equal(log.filter((word) => word === 'committed').length, 3)
  })

  it('fails a refused job alone', async () => {
    const { writer } = createBench()
    const refusal = new AppError('LOG_FULL', 'full')
    const [, a, refused, b] = await Promise.allSettled([
      writer.submit(job('first')),
      writer.submit(job('a')),
      writer.submit(throwing(refusal)),
      writer.submit(job('b')),
    ])
    assert.deepEqual([a.status, b.status], ['fulfilled', 'fulfilled'])
    assert.equal(refused.status === 'rejected' && refused.reason, refusal)
  })

  it('fails every job of a transaction that fails, and goes on', async () => {
    const { writer, log, failNext } = createBench()
    const broken = new Error('broken')
    const failed = writer.submit(job('a'))
    failNext(broken)
    await assert.rejects(failed, broken)
    assert.deepEqual(log, ['begin', 'end'])
    assert.equal(await writer.submit(job('b')), 'b')
  })

  it('undoes the transaction for an error that is no refusal', async () => {
    const { writer, log } = createBench()
    await assert.rejects(writer.submit(throwing(new TypeError('a bug'))), TypeError)
    assert.deepEqual(log, ['begin'])
  })
})
