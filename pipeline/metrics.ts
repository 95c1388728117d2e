/** What Prometheus sees of the worker processes of an encoder. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { PoolStats, WorkerPool } from './workers/pool.ts'

interface Figure {
  readonly name: string
  readonly help: string
  of(stats: PoolStats): number
}

const totals: readonly Figure[] = [
  { name: 'texts', help: 'Texts read.', of: ({ texts }) => texts },
  { name: 'windows', help: 'Windows of texts read.', of: ({ windows }) => windows },
  { name: 'batches', help: 'Batches run.', of: ({ batches }) => batches },
  { name: 'tokens', help: 'Tokens read, without padding.', of: ({ tokens }) => tokens.real },
  {
    name: 'padded_tokens',
    help: 'Tokens read, padding included: 1 - tokens / padded_tokens is its share.',
    of: ({ tokens }) => tokens.padded,
  },
  {
    name: 'compute_seconds',
    help: 'Processor time of reading; on a GPU the time that it was held.',
    of: ({ computeMs }) => computeMs / 1_000,
  },
  { name: 'deaths', help: 'Workers that ended without being told to.', of: ({ deaths }) => deaths },
  { name: 'restarts', help: 'Workers started again.', of: ({ restarts }) => restarts },
  {
    name: 'lethal_texts',
    help: 'Texts that ended their workers and are dead.',
    of: ({ lethalTexts }) => lethalTexts,
  },
]

const states: readonly Figure[] = [
  { name: 'ready', help: 'Workers that serve.', of: ({ workersReady }) => workersReady },
  { name: 'queue_texts', help: 'Texts that wait.', of: ({ queuedTexts }) => queuedTexts },
  { name: 'queue_bytes', help: 'Bytes of texts that wait.', of: ({ queuedBytes }) => queuedBytes },
]

/** From the queue's usual milliseconds to the longest that history waits by default. */
const waitBuckets = [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600]

export interface PoolMetrics {
  /** How long a text waited for a worker of the expert. */
  waited(expert: string, ms: number): void
  /** Read when Prometheus asks. */
  report(expert: string, pool: Pick<WorkerPool, 'stats'>): void
}

/** Of all encoders; one a registry. */
export function createPoolMetrics(registry: Registry): PoolMetrics {
  const registers = [registry]
  const pools = new Map<string, Pick<WorkerPool, 'stats'>>()
  const labels = { labelNames: ['expert'], registers }
  const waits = new Histogram({
    ...labels,
    name: 'tickertone_workers_wait_seconds',
    help: 'From the call until a worker had the text that it answered.',
    buckets: waitBuckets,
  })
  for (const { name, help, of } of totals)
    new Counter({
      ...labels,
      name: `tickertone_workers_${name}_total`,
      help,
      collect() {
        this.reset()
        for (const [expert, pool] of pools) this.inc({ expert }, of(pool.stats()))
      },
    })
  for (const { name, help, of } of states)
    new Gauge({
      ...labels,
      name: `tickertone_workers_${name}`,
      help,
      collect() {
        for (const [expert, pool] of pools) this.set({ expert }, of(pool.stats()))
      },
    })
  new Gauge({
    name: 'tickertone_workers_memory_bytes',
    help: 'Resident memory of each worker that serves, after its last answer.',
    labelNames: ['expert', 'worker'],
    registers,
    collect() {
      for (const [expert, pool] of pools)
        pool.stats().memoryBytes.forEach((bytes, worker) => {
          this.set({ expert, worker }, bytes)
        })
    },
  })
  return {
    waited: (expert, ms) => waits.observe({ expert }, ms / 1_000),
    report: (expert, pool) => pools.set(expert, pool),
  }
}
