/** What Prometheus is told of a pool. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { silentLogger } from '../infra/logger.ts'
import { createPoolMetrics } from './metrics.ts'
import { startWorkerPool } from './workers/pool.ts'
import { ready } from './workers/scripted-workers.fixture.ts'
import type { StartWorker } from './workers/worker-process.ts'

test('waits, memory and counts of a pool are shown', async () => {
  const registry = new Registry()
  const metrics = createPoolMetrics(registry)
  let now = 0
  // Each job takes a second, and the worker grows.
  const start: StartWorker = ({ message, ended }) => {
    setImmediate(() => message({ ...ready, memoryBytes: 100 }))
    return {
      send: ({ job, texts }) =>
        void setImmediate(() => {
          now += 1_000
          const readings = texts.map(() => ({ windowTokens: [3], logits: new Float32Array(1) }))
          const tokens = { real: 3, padded: 4 }
          message({
            type: 'done',
            job,
            readings,
            tokens,
            batches: 1,
            computeMs: 500,
            memoryBytes: 100 + now,
          })
        }),
      kill: () => void setImmediate(() => ended('was killed')),
    }
  }
  const pool = await startWorkerPool({
    count: 1,
    start,
    queue: { texts: 9, bytes: 99 },
    job: { texts: 1, bytes: 1 },
    memoryBytes: 9_999,
    clock: () => now,
    logger: silentLogger,
    onWaited: (ms) => metrics.waited('minilm', ms),
  })
  metrics.report('minilm', pool)
  await pool.read(['a', 'b', 'c', 'd'].map((text) => ({ title: '', text })))
  const lines = (await registry.metrics()).split('\n')
  for (const line of [
    'tickertone_workers_texts_total{expert="minilm"} 4',
    'tickertone_workers_padded_tokens_total{expert="minilm"} 16',
    'tickertone_workers_compute_seconds_total{expert="minilm"} 2',
    'tickertone_workers_memory_bytes{expert="minilm",worker="0"} 4100',
    // Two jobs are in hand: the first two texts wait for nothing, the others for one answer and for two.
    'tickertone_workers_wait_seconds_bucket{le="0.5",expert="minilm"} 2',
    'tickertone_workers_wait_seconds_bucket{le="1",expert="minilm"} 3',
    'tickertone_workers_wait_seconds_sum{expert="minilm"} 3',
    'tickertone_workers_wait_seconds_count{expert="minilm"} 4',
  ])
    assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`)
  await pool.close()
})
