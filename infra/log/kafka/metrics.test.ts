import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { registerReplacements } from './metrics.ts'

test('Prometheus sees how many members were replaced, and why', async () => {
  const registry = new Registry()
  const none = { ended: 0, unassigned: 0, stalled: 0 }
  registerReplacements(registry, {
    groups: () => [
      { group: 'pipeline', replacements: { ...none, stalled: 2 } },
      { group: 'follow posts', replacements: { ...none, ended: 1 } },
      { group: 'follow posts', replacements: { ...none, ended: 3 } },
    ],
  })
  const told = (await registry.metrics()).split('\n').filter((line) => /^[^#].* [1-9]/.test(line))
  assert.deepEqual(told, [
    'tickertone_log_members_replaced_total{group="pipeline",why="stalled"} 2',
    'tickertone_log_members_replaced_total{group="follow posts",why="ended"} 4',
  ])
})
