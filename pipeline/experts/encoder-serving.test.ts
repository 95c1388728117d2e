/** The committed encoder behind real worker processes. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../infra/clock.ts'
import { silentLogger } from '../../infra/logger.ts'
import { packageRoot } from '../../infra/package-root.ts'
import { startWorkerPool, type WorkerPool } from '../workers/pool.ts'
import { forkWorker } from '../workers/worker-process.ts'
import { modelsFolder } from './artifact.ts'
import { createEncoderExpert, type EncoderExpert } from './encoder.ts'
import { readEncoderManifest } from './encoder-artifact.ts'
import { type ExpertInput, isLethal } from './expert.ts'

const folder = join(modelsFolder, 'minilm')
const temporary = mkdtempSync(join(tmpdir(), 'tickertone-encoder-'))
let pool: WorkerPool
let expert: EncoderExpert

before(async () => {
  pool = await startWorkerPool({
    count: 1,
    start: forkWorker({
      entry: join(import.meta.dirname, '../workers/onnx-worker.fixture.js'),
      options: { folder, provider: 'cpu', threads: 1, maxBatchTokens: 1_024, minSpeedup: 1 },
      environment: {},
      logger: silentLogger,
    }),
    queue: { texts: 1_000, bytes: 1_000_000 },
    memoryBytes: Number.POSITIVE_INFINITY,
    clock: systemClock,
    logger: silentLogger,
    backoff: () => 0,
  })
  expert = createEncoderExpert({ manifest: readEncoderManifest(folder), pool })
})
after(async () => {
  await expert.close()
  rmSync(temporary, { recursive: true })
})

/** Tweets, some of them, and texts of every other sort: nothing, one character, emoji, several windows. */
function sampleInputs(): ExpertInput[] {
  const lines = readFileSync(join(packageRoot, 'data/market-tweets-2020.ndjson'), 'utf8').split(
    '\n',
  )
  const tweets = lines.slice(0, 20).map((line) => String(JSON.parse(line).text))
  const texts = [...tweets, '', 'a', '🚀🚀🚀', tweets.slice(0, 8).join(' ')]
  return texts.map((text, i) => ({ text, title: '', kind: i % 2 === 0 ? 'news' : 'comment' }))
}

async function probabilitiesOf(batch: readonly ExpertInput[]): Promise<number[][]> {
  const outputs = await expert.classify(batch)
  return outputs.map((output) => {
    assert.ok(!isLethal(output))
    return [...(output.sentiment ?? []), ...(output.topic ?? [])]
  })
}

function assertSame(actual: readonly number[][], expected: readonly number[][]): void {
  const differences = actual.flatMap((row, i) =>
    row.map((p, label) => Math.abs(p - (expected[i]?.[label] ?? Number.NaN))),
  )
  assert.equal(actual.length, expected.length)
  const largest = Math.max(...differences)
  assert.ok(largest < 1e-4, `a probability differs by ${largest}`)
}

describe('the encoder on workers', () => {
  it('gives a text the same probabilities alone and in any batch', async () => {
    const inputs = sampleInputs()
    const alone: number[][] = []
    for (const input of inputs) alone.push(...(await probabilitiesOf([input])))
    const batches = fc.shuffledSubarray(
      inputs.map((_, i) => i),
      { minLength: 1 },
    )
    await fc.assert(
      fc.asyncProperty(batches, async (batch) => {
        const inBatch = await probabilitiesOf(batch.flatMap((i) => inputs[i] ?? []))
        assertSame(
          inBatch,
          batch.map((i) => alone[i] ?? []),
        )
      }),
      { numRuns: 10 },
    )
  })

  it('loses no text when its worker is killed in the middle of a batch', async () => {
    const inputs = sampleInputs()
    const expected = await probabilitiesOf(inputs)
    const fatal: ExpertInput = { kind: 'news', title: '', text: `crash-once:${temporary}/died` }
    const answers = await probabilitiesOf([...inputs.slice(0, 9), fatal, ...inputs.slice(9)])
    assertSame(answers.toSpliced(9, 1), expected)
    assert.equal(pool.stats().deaths, 1)
  })
})
