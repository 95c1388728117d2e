/** What the benches of serving share: the texts, a pool of real workers, and a caller that keeps it busy. */
import { readFileSync } from 'node:fs'
import { systemClock } from '../infra/clock.ts'
import { silentLogger } from '../infra/logger.ts'
import { demoFile } from '../ingest/demo.ts'
import type { Call } from '../pipeline/experts/expert.ts'
import { startWorkerPool, type WorkerPool } from '../pipeline/workers/pool.ts'
import type { Provider, TextToRead } from '../pipeline/workers/protocol.ts'
import { forkWorker } from '../pipeline/workers/worker-process.ts'

export interface PoolOptions {
  /** Of the artifact. */
  readonly folder: string
  readonly provider: Provider
  readonly maxBatchTokens: number
  /** Most texts of a job: the window that is sorted by length. */
  readonly jobTexts: number
}

export interface Shape {
  readonly workers: number
  readonly threads: number
}

const longestText = 100
const callTexts = 128
export const call: Call = { priority: 'live', withinMs: 600_000 }

/** The bundled tweets of at most 100 characters: 20 tokens on average. */
export function readTexts(): TextToRead[] {
  return readFileSync(demoFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => ({ title: '', text: String(JSON.parse(line).text) }))
    .filter(({ text }) => text.length <= longestText)
}

/** Resolves when every worker is ready. */
export async function openPool(
  options: PoolOptions,
  { workers, threads }: Shape,
): Promise<WorkerPool> {
  const { folder, provider, maxBatchTokens, jobTexts } = options
  const pool = await startWorkerPool({
    count: workers,
    start: forkWorker({
      options: {
        folder,
        provider,
        threads,
        maxBatchTokens,
        minSpeedup: 1,
      },
      environment: {},
      logger: silentLogger,
    }),
    queue: { texts: 1_000_000, bytes: 1e9 },
    job: { texts: jobTexts, bytes: 65_536 },
    memoryBytes: Number.POSITIVE_INFINITY,
    clock: systemClock,
    logger: silentLogger,
  })
  await waitForWorkers(pool, workers)
  return pool
}

/** Keeps enough calls open that every worker has two jobs in hand and more wait. */
export async function readFor(pool: WorkerPool, texts: readonly TextToRead[], ms: number) {
  const end = performance.now() + ms
  let next = 0
  const nextTexts = () =>
    Array.from({ length: callTexts }, () => texts[next++ % texts.length] ?? { title: '', text: '' })
  const caller = async () => {
    while (performance.now() < end) await pool.read(nextTexts(), call)
  }
  await Promise.all(Array.from({ length: 2 * pool.stats().workersReady + 2 }, caller))
}

async function waitForWorkers(pool: WorkerPool, count: number): Promise<void> {
  while (pool.stats().workersReady < count) await new Promise((resolve) => setTimeout(resolve, 20))
}
