import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLifecycle, type Lifecycle } from './lifecycle.ts'
import { deferred } from './log/log.fixture.ts'
import { silentLogger as logger } from './logger.ts'

async function startAll(lifecycle: Lifecycle, names: readonly string[]): Promise<string[]> {
  const calls: string[] = []
  for (const name of names) {
    await lifecycle.start(
      name,
      () => calls.push(`start ${name}`),
      () => {
        calls.push(`stop ${name}`)
      },
    )
  }
  return calls
}

describe('lifecycle', () => {
  it('stops in reverse order, once, however often it is asked', async () => {
    const lifecycle = createLifecycle({ logger, stopTimeoutMs: 1_000 })
    const calls = await startAll(lifecycle, ['store', 'log', 'http'])
    assert.deepEqual(await Promise.all([lifecycle.stop(), lifecycle.stop()]), [true, true])
    const stops = ['stop http', 'stop log', 'stop store']
    assert.deepEqual(calls, ['start store', 'start log', 'start http', ...stops])
  })

  it('does not stop a part that failed to start', async () => {
    const lifecycle = createLifecycle({ logger, stopTimeoutMs: 1_000 })
    const calls = await startAll(lifecycle, ['store'])
    const broken = () => Promise.reject(new Error('no port'))
    await assert.rejects(
      lifecycle.start('http', broken, () => assert.fail('stopped')),
      /no port/,
    )
    await lifecycle.stop()
    assert.deepEqual(calls, ['start store', 'stop store'])
  })

  it('goes on stopping after a part that fails to stop', async () => {
    const lifecycle = createLifecycle({ logger, stopTimeoutMs: 1_000 })
    const calls = await startAll(lifecycle, ['store'])
    await lifecycle.start(
      'broken',
      () => undefined,
      () => Promise.reject(new Error('no')),
    )
    assert.equal(await lifecycle.stop(), true)
    assert.deepEqual(calls, ['start store', 'stop store'])
  })

  it('stops a part that is ready only after the stop, and starts nothing behind it', async () => {
    const lifecycle = createLifecycle({ logger, stopTimeoutMs: 1_000 })
    const opened = deferred()
    const calls: string[] = []
    const starting = lifecycle.start(
      'slow',
      () => opened.promise,
      () => {
        calls.push('stop slow')
      },
    )
    const stopped = lifecycle.stop()
    opened.resolve()
    await assert.rejects(starting, /stopped while slow was starting/)
    assert.equal(await stopped, true)
    await assert.rejects(startAll(lifecycle, ['next']), /stopped while next was starting/)
    assert.deepEqual(calls, ['stop slow'])
  })

  it('gives up on a part that never gets ready', async () => {
    const lifecycle = createLifecycle({ logger, stopTimeoutMs: 20 })
    void lifecycle.start(
      'stuck',
      () => new Promise(() => {}),
      () => undefined,
    )
    assert.equal(await lifecycle.stop(), false)
  })

  it('gives up on a part that never stops', async () => {
    const lifecycle = createLifecycle({ logger, stopTimeoutMs: 20 })
    await lifecycle.start(
      'stuck',
      () => undefined,
      () => new Promise(() => {}),
    )
    assert.equal(await lifecycle.stop(), false)
  })
})
