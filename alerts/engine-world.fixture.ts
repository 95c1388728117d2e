/** An engine on a log, a journal and a control topic in memory, at a time of the test's choice. */
import { Registry } from 'prom-client'
import { silentLogger } from '../infra/logger.ts'
import type { ControlRecord } from './control-reader.ts'
import {
  type MemoryJournal,
  type MemoryLog,
  memoryJournal,
  type RowSpec,
} from './engine.fixture.ts'
import { AlertEngine } from './engine.ts'
import { createAlertMetrics } from './metrics.ts'
import { notificationsOf } from './outbox.ts'
import type { InForce } from './revised.ts'
import { foldOptions } from './settings.ts'
import type { MentionRow } from './window.ts'

export const minute = 60_000
const bucketMs = 10_000

export interface World {
  readonly journal: MemoryJournal
  readonly control: ControlRecord[]
  /** Imported. */
  readonly history: MentionRow[]
  readonly inForce: InForce
  now: number
}

export const emptyWorld = (): World => ({
  journal: memoryJournal(),
  control: [],
  history: [],
  inForce: async (rows) => rows,
  now: 0,
})

/** A story of its own every `everyMs`. */
export const drizzle = (
  from: number,
  to: number,
  everyMs: number,
  row: Partial<MentionRow>,
): RowSpec[] =>
  Array.from({ length: Math.floor((to - from) / everyMs) }, (_, index) => {
    const at = from + index * everyMs
    return { at, content_hash: `${row.instrument}@${at}`, author: `a${index % 17}`, ...row }
  })

export function engineOn(world: World, memory: MemoryLog): AlertEngine {
  const channels = [{ name: 'print', send: async () => {}, close: async () => {} }]
  return new AlertEngine({
    tail: memory.tail,
    log: memory.log,
    control: {
      read: async (offset) => world.control.filter((record) => record.offset >= offset),
      stop: async () => {},
    },
    history: {
      async *imported() {
        yield* world.history
      },
      async *live({ below }, coverage) {
        const rows = memory.rows().filter((row) => row.offset < (below[row.partition] ?? 0))
        const inOrder = [...rows].sort((a, b) => (a.appended_at < b.appended_at ? -1 : 1))
        yield* await world.inForce(inOrder, coverage)
      },
    },
    inForce: world.inForce,
    journal: world.journal,
    clock: () => world.now,
    logger: silentLogger,
    metrics: createAlertMetrics(new Registry()),
    fold: foldOptions(
      { bucketMs },
      { instrumentName: (id) => id, publicUrl: () => 'http://localhost' },
    ),
    closeGraceMs: 5_000,
    freshnessMs: 6 * 3_600_000,
    notificationsOf: (event) => notificationsOf(event, channels),
    onEvents: () => {},
  })
}
