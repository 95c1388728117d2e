/** A parent to be killed: `node pool-parent.fixture.js ENTRY OPTIONS GATE` starts two workers, keeps one of them busy until GATE is there, and prints `busy`. */
import { systemClock } from '../../infra/clock.ts'
import { silentLogger } from '../../infra/logger.ts'
import { startWorkerPool } from './pool.ts'
import type { WorkerOptions } from './protocol.ts'
import { forkWorker } from './worker-process.ts'

async function main([entry = '', options = '{}', gate = '']: readonly string[]): Promise<void> {
  const pool = await startWorkerPool({
    count: 2,
    start: forkWorker({
      entry,
      options: JSON.parse(options) as WorkerOptions,
      environment: {},
      logger: silentLogger,
    }),
    queue: { texts: 10, bytes: 1_000 },
    memoryBytes: Number.POSITIVE_INFINITY,
    clock: systemClock,
    logger: silentLogger,
  })
  const busy = pool.read([{ title: '', text: `gate:${gate}` }])
  process.stdout.write('busy\n')
  await busy
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2))
