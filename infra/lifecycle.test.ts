import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLifecycle, type Part } from './lifecycle.ts'
import { silentLogger as logger } from './logger.ts'

function recorded(names: readonly string[], failing = ''): { parts: Part[]; calls: string[] } {
  const calls: string[] = []
  const parts = names.map((name) => ({
    name,
    async start() {
      calls.push(`start ${name}`)
      if (name === failing) throw new Error(`${name} is broken`)
    },
    async stop() {
      calls.push(`stop ${name}`)
    },
  }))
  return { parts, calls }
}

describe('lifecycle', () => {
  it('starts in order and stops in reverse', async () => {
    const { parts, calls } = recorded(['store', 'log', 'http'])
    const lifecycle = createLifecycle({ parts, logger, stopTimeoutMs: 1_000 })
    await lifecycle.start()
    assert.equal(await lifecycle.stop(), true)
    assert.deepEqual(calls, [
      'start store',
      'start log',
      'start http',
      'stop http',
      'stop log',
      'stop store',
    ])
  })

  it('stops what had started when a part fails, the failed one included', async () => {
    const { parts, calls } = recorded(['store', 'log', 'http'], 'log')
    const lifecycle = createLifecycle({ parts, logger, stopTimeoutMs: 1_000 })
    await assert.rejects(lifecycle.start(), /log is broken/)
    assert.deepEqual(calls, ['start store', 'start log', 'stop log', 'stop store'])
  })

  it('stops once, however often it is asked', async () => {
    const { parts, calls } = recorded(['only'])
    const lifecycle = createLifecycle({ parts, logger, stopTimeoutMs: 1_000 })
    await lifecycle.start()
    await Promise.all([lifecycle.stop(), lifecycle.stop()])
    assert.deepEqual(calls, ['start only', 'stop only'])
  })

  it('gives up on a part that never stops', async () => {
    const stuck: Part = { name: 'stuck', start: async () => {}, stop: () => new Promise(() => {}) }
    const lifecycle = createLifecycle({ parts: [stuck], logger, stopTimeoutMs: 20 })
    await lifecycle.start()
    assert.equal(await lifecycle.stop(), false)
  })

  it('goes on stopping after a part that fails to stop', async () => {
    const { parts, calls } = recorded(['first'])
    const broken: Part = {
      name: 'broken',
      start: async () => {},
      stop: async () => Promise.reject(new Error('no')),
    }
    const lifecycle = createLifecycle({ parts: [...parts, broken], logger, stopTimeoutMs: 1_000 })
    await lifecycle.start()
    assert.equal(await lifecycle.stop(), true)
    assert.deepEqual(calls, ['start first', 'stop first'])
  })
})
