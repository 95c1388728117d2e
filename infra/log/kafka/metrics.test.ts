import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { registerLogMetrics } from './metrics.ts'
import type { GroupStats, PartitionLag } from './watchdog.ts'

const partition = (number: number, lag: number | undefined): PartitionLag => ({
  topic: 'posts',
  partition: number,
  state: lag === undefined ? 'unknown' : 'moving',
  lag,
})
const none = { ended: 0, unassigned: 0, stalled: 0 }

test('Prometheus sees the lag of each partition, an unknown one as unknown, and replacements', async () => {
  let groups: GroupStats[] = [
    {
      group: 'pipeline',
      partitions: [partition(0, 7), partition(1, undefined)],
      replacements: { ...none, stalled: 2 },
    },
    { group: 'follow posts', partitions: [partition(0, 3)], replacements: none },
    { group: 'follow posts', partitions: [partition(0, 5)], replacements: none },
  ]
  const registry = new Registry()
  registerLogMetrics(registry, { groups: () => groups })
  const told = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => /^[^#].* [1-9]/.test(line))
  assert.deepEqual(await told(), [
    'tickertone_log_lag_records{group="pipeline",topic="posts",partition="0"} 7',
    'tickertone_log_lag_records{group="follow posts",topic="posts",partition="0"} 5',
    'tickertone_log_lag_unknown_partitions{group="pipeline"} 1',
    'tickertone_log_members_replaced_total{group="pipeline",why="stalled"} 2',
  ])
  groups = []
  assert.deepEqual(await told(), [])
})
