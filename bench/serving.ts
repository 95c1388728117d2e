/**
 * `npm run -s build && node dist/bench/serving.js`: what encoders on workers give and cost. Reads the bundled tweets of at most 100 characters (20 tokens
 * on average) through the worker pool, and prints
 * 1. texts a second, all at once, against workers and threads of each, and how much of the work was padding;
 * 2. latency against offered load: single texts that arrive by a seeded Poisson process at shares of the measured capacity.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { silentLogger } from '../infra/logger.ts'
import { seededRandom } from '../infra/seeded-random.ts'
import { demoFile } from '../ingest/demo.ts'
import { modelsFolder } from '../pipeline/experts/artifact.ts'
import type { Call } from '../pipeline/experts/expert.ts'
import { type PoolStats, startWorkerPool, type WorkerPool } from '../pipeline/workers/pool.ts'
import type { Provider, TextToRead } from '../pipeline/workers/protocol.ts'
import { forkWorker } from '../pipeline/workers/worker-process.ts'
import { openLoop, percentile, poissonArrivals } from './open-loop.ts'

interface Options {
  readonly folder: string
  readonly provider: Provider
  readonly maxBatchTokens: string
  readonly seconds: string
  readonly shapes: string
  readonly loads: string
  readonly jobTexts: string
}

interface Shape {
  readonly workers: number
  readonly threads: number
}

const longestText = 100
const callTexts = 128
const call: Call = { priority: 'live', withinMs: 600_000 }

function readTexts(): TextToRead[] {
  return readFileSync(demoFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => ({ title: '', text: String(JSON.parse(line).text) }))
    .filter(({ text }) => text.length <= longestText)
}

function openPool(options: Options, { workers, threads }: Shape): Promise<WorkerPool> {
  const { folder, provider, maxBatchTokens, jobTexts } = options
  return startWorkerPool({
    count: workers,
    start: forkWorker({
      options: {
        folder,
        provider,
        threads,
        maxBatchTokens: Number(maxBatchTokens),
        minSpeedup: 1,
      },
      environment: {},
      logger: silentLogger,
    }),
    queue: { texts: 1_000_000, bytes: 1e9 },
    job: { texts: Number(jobTexts), bytes: 65_536 },
    memoryBytes: Number.POSITIVE_INFINITY,
    clock: systemClock,
    logger: silentLogger,
  })
}

/** Runs `work` and adds what the pool did meanwhile. */
async function measured<T>(pool: WorkerPool, work: () => Promise<T>) {
  const before = pool.stats()
  const began = performance.now()
  const result = await work()
  const seconds = (performance.now() - began) / 1_000
  return { result, seconds, did: difference(pool.stats(), before) }
}

function difference(after: PoolStats, before: PoolStats) {
  const texts = after.texts - before.texts
  const real = after.tokens.real - before.tokens.real
  const padded = after.tokens.padded - before.tokens.padded
  return {
    texts,
    tokensOfText: real / texts,
    waste: 1 - real / padded,
    textsOfJob: texts / (after.jobs - before.jobs),
  }
}

/** Keeps enough calls open that every worker has two jobs in hand and more wait. */
async function readFor(pool: WorkerPool, texts: readonly TextToRead[], ms: number) {
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

/** Texts a second of each shape; the best of three passes, as other work on the machine only ever takes away. */
async function throughput(options: Options, texts: readonly TextToRead[], shape: Shape) {
  const pool = await openPool(options, shape)
  await waitForWorkers(pool, shape.workers)
  await readFor(pool, texts, 1_000)
  const passes: { rate: number; waste: number; tokensOfText: number }[] = []
  for (let pass = 0; pass < 3; pass++) {
    const { seconds, did } = await measured(pool, () =>
      readFor(pool, texts, Number(options.seconds) * 1_000),
    )
    passes.push({ ...did, rate: did.texts / seconds })
  }
  await pool.close()
  const [best] = passes.toSorted((a, b) => b.rate - a.rate)
  if (best === undefined) throw new Error('no pass was run')
  const cores = shape.workers * shape.threads
  print(
    `  ${shape.workers} x ${shape.threads}  ${whole(best.rate)} texts/s, ${whole(best.rate / cores)} a core; ` +
      `passes ${passes.map(({ rate }) => whole(rate)).join(', ')}; ` +
      `${best.tokensOfText.toFixed(1)} tokens a text, padding ${percent(best.waste)}`,
  )
  return best.rate
}

async function latencies(
  options: Options,
  texts: readonly TextToRead[],
  shape: Shape,
  capacity: number,
): Promise<void> {
  print(
    `\nlatency of single texts, ${shape.workers} x ${shape.threads}, capacity ${whole(capacity)} texts/s`,
  )
  const pool = await openPool(options, shape)
  await waitForWorkers(pool, shape.workers)
  await readFor(pool, texts, 1_000)
  for (const load of options.loads.split(',').map(Number)) {
    const perSecond = (capacity * load) / 100
    const arrivals = poissonArrivals(perSecond, Number(options.seconds) * 2_000, seededRandom(load))
    const { result, did } = await measured(pool, () =>
      openLoop(arrivals, (i) =>
        pool.read([texts[i % texts.length] ?? { title: '', text: '' }], call),
      ),
    )
    print(
      `  ${String(load).padStart(3)}%  ${whole(perSecond)} texts/s: p50 ${ms(percentile(result, 0.5))}, ` +
        `p99 ${ms(percentile(result, 0.99))} (${result.length} texts, ${did.textsOfJob.toFixed(1)} a job, padding ${percent(did.waste)})`,
    )
  }
  await pool.close()
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
const percent = (share: number) => `${(100 * share).toFixed(1)}%`
const ms = (value: number) => `${value.toFixed(1)} ms`

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function shapeOf(text: string): Shape {
  const [workers = 1, threads = 1] = text.split('x').map(Number)
  return { workers, threads }
}

program
  .description('Measure encoders on workers.')
  .option('--folder <folder>', 'of the artifact', join(modelsFolder, 'minilm'))
  .option('--provider <name>', 'cpu, cuda or webgpu', 'cpu')
  .option('--max-batch-tokens <count>', 'of a batch, padding included', '1024')
  .option('--job-texts <count>', 'most texts of a job: the window that is sorted by length', '128')
  .option('--seconds <seconds>', 'of each pass', '5')
  .option(
    '--shapes <list>',
    'workers x threads; latencies are measured on the fastest',
    '1x1,1x2,2x1',
  )
  .option('--loads <list>', 'in percent of the capacity', '20,40,60,80,95')
  .action(async (options: Options) => {
    const texts = readTexts()
    print(`workers x threads: ${texts.length} texts, best of 3 passes of ${options.seconds} s`)
    const measurements: { shape: Shape; rate: number }[] = []
    for (const shape of options.shapes.split(',').map(shapeOf))
      measurements.push({ shape, rate: await throughput(options, texts, shape) })
    const [fastest] = measurements.toSorted((a, b) => b.rate - a.rate)
    if (fastest !== undefined) await latencies(options, texts, fastest.shape, fastest.rate)
  })
  .parse()
