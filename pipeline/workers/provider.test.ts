import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { EncoderManifest } from '../experts/encoder-artifact.ts'
import { loadEncoder } from './load-encoder.ts'
import type { FromWorker, WorkerOptions } from './protocol.ts'
import { openProven } from './provider.ts'
import { swiftshader, swiftshaderMissing } from './swiftshader.fixture.ts'
import { writeTinyEncoder } from './tiny-encoder.fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'tickertone-provider-'))
after(() => rmSync(root, { recursive: true }))

const options: WorkerOptions = {
  folder: root,
  provider: 'cpu',
  threads: 1,
  maxBatchTokens: 64,
  minSpeedup: 1,
}
const manifest = writeTinyEncoder(root)

/** As on a CPU that computes something else. */
function withProbe(change: (probe: EncoderManifest['probe']) => EncoderManifest['probe']): string {
  const folder = mkdtempSync(join(root, 'probe-'))
  writeTinyEncoder(folder, { probe: change(manifest.probe) })
  return folder
}

const moved = (by: number) => (probe: EncoderManifest['probe']) => {
  const [first = [], ...others] = probe.logits.topic ?? []
  const topic = [first.map((logit, i) => (i === 19 ? logit + by : logit)), ...others]
  return { ...probe, logits: { ...probe.logits, topic } }
}

test('a CPU is proven by the logits that the manifest holds', async () => {
  const encoder = loadEncoder(withProbe(moved(1e-4)))
  const { session, speed } = await openProven(encoder, options)
  await session.close()
  assert.ok(speed.cpu > 0)
})

const refused = [
  {
    name: 'other logits',
    probe: moved(0.5),
    message: /differ by up to 0\.50, .*PIPELINE_EXPERTS=linear,lexicon/,
  },
  {
    name: 'logits that are no numbers',
    probe: moved(Number.NaN),
    message: /is not valid/,
  },
  {
    name: 'rows that are missing',
    probe: (probe: EncoderManifest['probe']) => ({
      ...probe,
      logits: { topic: probe.logits.topic ?? [] },
    }),
    message: /does not have one window and one row of logits a text/,
  },
  {
    name: 'a probe of several windows',
    probe: (probe: EncoderManifest['probe']) => ({
      ...probe,
      texts: [...probe.texts.slice(1), 'x '.repeat(99)],
    }),
    message: /does not have one window/,
  },
]

for (const { name, probe, message } of refused)
  test(`a manifest is refused for ${name}`, async () => {
    const folder = withProbe(probe)
    await assert.rejects(async () => openProven(loadEncoder(folder), options), {
      code: 'MODEL',
      message,
    })
  })

test('a file that is no model is refused', async () => {
  const encoder = loadEncoder(root)
  await assert.rejects(openProven({ ...encoder, model: Buffer.from('no model') }, options), {
    code: 'MODEL',
    message: /cannot be loaded/,
  })
})

/** In a process of its own: the loader looks for Vulkan when a process starts. */
async function proveWebGpu(changes: Partial<WorkerOptions> = {}): Promise<FromWorker> {
  const worker = fork(
    join(import.meta.dirname, 'worker.js'),
    [JSON.stringify({ ...options, provider: 'webgpu', minSpeedup: 0, ...changes })],
    { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: swiftshader },
  )
  try {
    const [message] = await once(worker, 'message')
    return message
  } finally {
    worker.kill('SIGKILL')
  }
}

test('WebGPU on a software Vulkan is proven', { skip: swiftshaderMissing() }, async () => {
  const ready = await proveWebGpu()
  assert.ok(ready.type === 'ready', JSON.stringify(ready))
  assert.equal(ready.provider, 'webgpu')
})

test('a provider that is not fast enough is refused', { skip: swiftshaderMissing() }, async () => {
  const answer = await proveWebGpu({ minSpeedup: 1e9 })
  assert.ok(answer.type === 'refused')
  assert.equal(answer.code, 'PROVIDER')
  assert.match(answer.message, /reads \d+ windows\/s and the CPU \d+; WORKERS_MIN_SPEEDUP/)
})

test('a provider that leaves the work to the CPU is refused', {
  skip: swiftshaderMissing(),
}, async () => {
  const folder = mkdtempSync(join(root, 'doubles-'))
  writeTinyEncoder(folder, {}, { products: 'float64' })
  const answer = await proveWebGpu({ folder })
  assert.ok(answer.type === 'refused')
  assert.equal(answer.code, 'PROVIDER')
  assert.match(answer.message, /leaves 2 of 2 matrix products to the CPU/)
})
