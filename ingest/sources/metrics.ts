/** What Prometheus sees of live sources, by the names of the configuration. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { ReadingCounts } from './source.ts'

export interface SourceMetrics {
  read(source: string, counts: ReadingCounts, nowMs: number): void
  failed(source: string): void
  silent(source: string, silent: boolean): void
}

export function createSourceMetrics(registry: Registry): SourceMetrics {
  const registers = [registry]
  const items = new Counter({
    name: 'tickertone_source_items_total',
    help: 'Items of live sources: fresh and corrected ones are posts, repeated ones known, refused ones in posts.dead.',
    labelNames: ['source', 'outcome'],
    registers,
  })
  const failures = new Counter({
    name: 'tickertone_source_failures_total',
    help: 'Readings that failed.',
    labelNames: ['source'],
    registers,
  })
  const lastSuccess = new Gauge({
    name: 'tickertone_source_last_success_seconds',
    help: 'When the source was last read, in seconds since 1970.',
    labelNames: ['source'],
    registers,
  })
  const lastItem = new Gauge({
    name: 'tickertone_source_last_item_seconds',
    help: 'When a new item last came, in seconds since 1970.',
    labelNames: ['source'],
    registers,
  })
  const silence = new Gauge({
    name: 'tickertone_source_silent',
    help: '1: nothing new came for longer than is usual for the source.',
    labelNames: ['source'],
    registers,
  })
  return {
    read(source, counts, nowMs) {
      for (const [outcome, count] of Object.entries(counts)) items.inc({ source, outcome }, count)
      lastSuccess.set({ source }, nowMs / 1_000)
      if (counts.fresh > 0) lastItem.set({ source }, nowMs / 1_000)
    },
    failed: (source) => failures.inc({ source }),
    silent: (source, silent) => silence.set({ source }, silent ? 1 : 0),
  }
}
