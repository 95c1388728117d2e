import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { FromWorker, Read, WorkerOptions } from './protocol.ts'
import { expectedLogits, idsOf, writeTinyEncoder } from './tiny-encoder.fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'tickertone-worker-'))
writeTinyEncoder(root)
const options: WorkerOptions = {
  folder: root,
  provider: 'cpu',
  threads: 1,
  maxBatchTokens: 256,
  minSpeedup: 1,
}
const entry = join(import.meta.dirname, 'onnx-worker.fixture.js')
const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true })
})

interface Worker {
  readonly child: ChildProcess
  send(message: Read): void
  next(): Promise<FromWorker | undefined>
}

function start(changes: Partial<WorkerOptions> = {}): Worker {
  const child = fork(entry, [JSON.stringify({ ...options, ...changes })], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  children.push(child)
  const messages = on(child, 'message', { close: ['exit'] })
  return {
    child,
    send: (message) => child.send(message),
    async next() {
      const { value } = await messages.next()
      return value?.[0]
    },
  }
}

const jobOf = (job: number, ...texts: string[]): Read => ({
  type: 'read',
  job,
  texts: texts.map((text) => ({ title: '', text })),
})

test('a worker says that it is ready, answers jobs in order, outlives one that throws, and ends with its channel', async () => {
  const { child, send, next } = start()
  const ready = await next()
  assert.ok(ready?.type === 'ready' && ready.provider === 'cpu')
  assert.ok(ready.speed.cpu > 0 && ready.speed.provider === ready.speed.cpu)

  for (const job of [jobOf(1, 'up'), jobOf(2, 'up', 'fail'), jobOf(3, '', 'down')]) send(job)
  const [first, second, third] = [await next(), await next(), await next()]
  assert.ok(first?.type === 'done' && first.job === 1)
  const [reading] = first.readings
  assert.ok(reading?.logits instanceof Float32Array)
  assert.deepEqual(reading.windowTokens, [4])
  expectedLogits(idsOf('up')).forEach((logit, i) => {
    assert.ok(Math.abs(logit - (reading.logits[i] ?? 0)) < 1e-4)
  })
  assert.deepEqual(first.tokens, { real: 4, padded: 4 })
  assert.ok(first.memoryBytes > 1e6)
  assert.deepEqual(second, { type: 'failed', job: 2, message: 'a text says so' })
  assert.ok(third?.type === 'done' && third.job === 3 && third.readings.length === 2)

  child.disconnect()
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('signals of a terminal do not end a worker', async () => {
  const { child, send, next } = start()
  await next()
  child.kill('SIGINT')
  child.kill('SIGTERM')
  send(jobOf(7, 'up'))
  const done = await next()
  assert.ok(done?.type === 'done' && done.job === 7)
  child.disconnect()
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('a worker that is killed by a text says nothing more', async () => {
  const { child, send, next } = start()
  await next()
  const ended = once(child, 'exit')
  send(jobOf(1, 'crash'))
  assert.equal(await next(), undefined)
  assert.deepEqual(await ended, [null, 'SIGKILL'])
})

const orphans = [
  { name: 'idle', texts: [], says: /^\{"type":"ready"/ },
  { name: 'one that hangs', texts: ['hang'], says: /^hangs$/m },
]

for (const { name, texts, says } of orphans)
  test(`a worker ends with a parent that is killed: ${name}`, { timeout: 60_000 }, async () => {
    const parent = spawn(
      process.execPath,
      [
        join(import.meta.dirname, 'worker-parent.fixture.js'),
        entry,
        JSON.stringify(options),
        ...texts,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    children.push(parent)
    const [said] = await once(parent.stdout, 'data')
    assert.match(String(said), says)
    parent.kill('SIGKILL')
    // Standard output is the worker's too: it closes when both have ended.
    await once(parent, 'close')
  })

const refused = [
  {
    name: 'an artifact that is not there',
    changes: { folder: join(root, 'nowhere') },
    code: 'MODEL',
    message: /Cannot read the model manifest/,
  },
  {
    name: 'a provider whose libraries are not installed',
    changes: { provider: 'cuda' as const },
    code: 'PROVIDER',
    message: /^The provider cuda cannot be loaded \(.*\)\. See docs\/gpu\.md\.$/,
  },
]

for (const { name, changes, code, message } of refused)
  test(`refused at once: ${name}`, async () => {
    const { child, next } = start(changes)
    const ended = once(child, 'exit')
    const answer = await next()
    assert.ok(answer?.type === 'refused')
    assert.equal(answer.code, code)
    assert.match(answer.message, message)
    assert.deepEqual(await ended, [0, null])
  })
