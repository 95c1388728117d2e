/** What Prometheus sees of the worker processes of an encoder. */
import { Counter, Gauge, type Registry } from 'prom-client'
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

/** Read when Prometheus asks. One pool an expert and registry. */
export function reportPool(
  registry: Registry,
  expert: string,
  pool: Pick<WorkerPool, 'stats'>,
): void {
  const shared = { labelNames: ['expert'], registers: [registry] }
  for (const { name, help, of } of totals)
    new Counter({
      ...shared,
      name: `tickertone_workers_${name}_total`,
      help,
      collect() {
        this.reset()
        this.inc({ expert }, of(pool.stats()))
      },
    })
  for (const { name, help, of } of states)
    new Gauge({
      ...shared,
      name: `tickertone_workers_${name}`,
      help,
      collect() {
        this.set({ expert }, of(pool.stats()))
      },
    })
}
