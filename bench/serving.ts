/**
 * `npm run -s build && node dist/bench/serving.js`: what encoders on workers give and cost. Reads the bundled tweets of at most 100 characters (20 tokens
 * on average) through the worker pool, and prints
 * 1. texts a second, all at once, against workers and threads of each, and how much of the work was padding;
 * 2. latency against offered load: single texts that arrive by a seeded Poisson process at shares of the measured capacity.
 */
import { program } from 'commander'
import { seededRandom } from '../infra/seeded-random.ts'
import { minilmFolder } from '../pipeline/experts/registry.ts'
import type { PoolStats, WorkerPool } from '../pipeline/workers/pool.ts'
import type { TextToRead } from '../pipeline/workers/protocol.ts'
import { openLoop, percentile, poissonArrivals } from './open-loop.ts'
import { call, openPool, type PoolOptions, readFor, readTexts, type Shape } from './serving-pool.ts'

interface Options extends PoolOptions {
  readonly seconds: number
  readonly shapes: string
  readonly loads: string
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

/** Texts a second of each shape; the best of three passes, as other work on the machine only ever takes away. */
async function throughput(options: Options, texts: readonly TextToRead[], shape: Shape) {
  const pool = await openPool(options, shape)
  await readFor(pool, texts, 1_000)
  const passes: { rate: number; waste: number; tokensOfText: number }[] = []
  for (let pass = 0; pass < 3; pass++) {
    const { seconds, did } = await measured(pool, () =>
      readFor(pool, texts, options.seconds * 1_000),
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
  await readFor(pool, texts, 1_000)
  for (const load of options.loads.split(',').map(Number)) {
    const perSecond = (capacity * load) / 100
    const arrivals = poissonArrivals(perSecond, options.seconds * 2_000, seededRandom(load))
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
  .option('--folder <folder>', 'of the artifact', minilmFolder)
  .option('--provider <name>', 'cpu, cuda or webgpu', 'cpu')
  .option('--max-batch-tokens <count>', 'of a batch, padding included', Number, 256)
  .option(
    '--job-texts <count>',
    'most texts of a job: the window that is sorted by length',
    Number,
    128,
  )
  .option('--seconds <seconds>', 'of each pass', Number, 5)
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
