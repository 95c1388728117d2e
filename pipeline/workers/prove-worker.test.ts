import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { silentLogger } from '../../infra/logger.ts'
import { proveWorker } from './prove-worker.ts'
import { forkWorker } from './worker-process.ts'

const root = mkdtempSync(join(tmpdir(), 'tickertone-prove-'))
after(() => rmSync(root, { recursive: true }))
const plentyMs = 60_000

/** Whose folder says how it starts. */
function scripted(folder: string) {
  return forkWorker({
    options: { folder, provider: 'cpu', threads: 1, maxBatchTokens: 64, minSpeedup: 1 },
    environment: {},
    logger: silentLogger,
    entry: join(import.meta.dirname, 'worker.fixture.js'),
  })
}

test('what a ready worker says of itself is passed on', async () => {
  const ready = await proveWorker(scripted('well'), plentyMs)
  const speed = { provider: 1, cpu: 1 }
  assert.deepEqual(ready, { type: 'ready', provider: 'cpu', speed, memoryBytes: 1 })
})

test('a refusal keeps its code, and its words on one line', async () => {
  await assert.rejects(proveWorker(scripted('refuse'), plentyMs), {
    code: 'MODEL',
    message: 'The model is not the one',
  })
})

test('a worker that dies is reported by its last words', async () => {
  const file = join(root, 'perish')
  writeFileSync(file, '')
  await assert.rejects(proveWorker(scripted(`perish-with:${file}`), plentyMs), {
    code: 'WORKER',
    message: /ended with code 127: no such +library/,
  })
})

test('a worker that says nothing is ended', async () => {
  await assert.rejects(proveWorker(scripted('mute'), 1), { code: 'WORKER', message: /SIGKILL/ })
})
