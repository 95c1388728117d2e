import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Admission } from './admission.ts'

describe('Admission', () => {
  it('runs as many as allowed, the others in order, and tells when the queue is full', async () => {
    const admission = new Admission({ running: 2, waiting: 2 })
    const started: string[] = []
    const finish: (() => void)[] = []
    const run = (name: string) =>
      admission.run(() => {
        started.push(name)
        return new Promise<void>((resolve) => finish.push(resolve))
      })
    const tasks = ['a', 'b', 'c'].map(run)
    assert.equal(admission.isFull, false)
    tasks.push(run('d'))
    assert.deepEqual([started, admission.isFull], [['a', 'b'], true])
    finish[1]?.()
    await tasks[1]
    assert.deepEqual([started, admission.isFull], [['a', 'b', 'c'], false])
    for (const index of [0, 2]) finish[index]?.()
    await Promise.all([tasks[0], tasks[2]])
    finish[3]?.()
    await tasks[3]
    assert.deepEqual(started, ['a', 'b', 'c', 'd'])
  })

  it('goes on after a task that fails', async () => {
    const admission = new Admission({ running: 1, waiting: 1 })
    const failed = admission.run(() => Promise.reject(new Error('no')))
    const next = admission.run(async () => 'yes')
    await assert.rejects(failed, /no/)
    assert.equal(await next, 'yes')
  })
})
