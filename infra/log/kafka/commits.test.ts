import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { deferred } from '../log.fixture.ts'
import { Commits } from './commits.ts'

describe('the commits of a partition', () => {
  let sent: number[] = []
  let answers: ReturnType<typeof deferred<Error | undefined>>[] = []
  let failed: number[] = []
  let isOver = false
  let commits: Commits

  beforeEach(() => {
    ;[sent, answers, failed, isOver] = [[], [], [], false]
    commits = new Commits({
      async send(next) {
        const answer = deferred<Error | undefined>()
        sent.push(next)
        answers.push(answer)
        const error = await answer.promise
        if (error !== undefined) throw error
      },
      onFailed: (next) => failed.push(next),
      isOver: () => isOver,
    })
  })

  const answered = async (index: number, error?: Error): Promise<void> => {
    answers[index]?.resolve(error)
    await new Promise(setImmediate)
  }

  it('wait for the answer', async () => {
    const committing = commits.commit(3)
    await answered(0)
    await committing
    assert.deepEqual(sent, [3])
  })

  it('keep nobody waiting for a broker that does not answer, and tell it the last one afterwards', async () => {
    await commits.commit(3)
    await commits.commit(4)
    await commits.commit(5)
    assert.deepEqual(sent, [3])
    await answered(0)
    assert.deepEqual(sent, [3, 5])
    await answered(1)
    const committing = commits.commit(6)
    await answered(2)
    await committing
    assert.deepEqual(sent, [3, 5, 6])
  })

  it('end with the partition', async () => {
    await commits.commit(3)
    await commits.commit(4)
    isOver = true
    await answered(0)
    assert.deepEqual(sent, [3])
  })

  it('go on after one that was not taken', async () => {
    const committing = commits.commit(3)
    await answered(0, new Error('not in the group'))
    await committing
    assert.deepEqual(failed, [3])
    const next = commits.commit(4)
    await answered(1)
    await next
    assert.deepEqual(sent, [3, 4])
  })
})
