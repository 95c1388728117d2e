/** What Prometheus sees of how the pipeline reads the log. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Held } from './backpressure.ts'

export interface ConsumptionMetrics {
  /** Offsets left the log before they were read. */
  removed(partition: number, offsets: number): void
  /** A partition came to this process. */
  assigned(partition: number): void
  /** A partition was lost to another process. */
  lost(partition: number): void
  /** Read when Prometheus asks. */
  report(held: () => Held): void
}

export function createConsumptionMetrics(registry: Registry): ConsumptionMetrics {
  const registers = [registry]
  const byPartition = { labelNames: ['partition'], registers }
  const removed = new Counter({
    ...byPartition,
    name: 'tickertone_pipeline_removed_offsets_total',
    help: 'Offsets that retention removed from the log before they were read: posts that are lost.',
  })
  const assignments = new Counter({
    ...byPartition,
    name: 'tickertone_pipeline_assignments_total',
    help: 'How often a partition came to this process.',
  })
  const losses = new Counter({
    ...byPartition,
    name: 'tickertone_pipeline_losses_total',
    help: 'How often a partition went from this process to another.',
  })
  let ask: () => Held = () => ({ bytes: 0, oldestMs: 0, pausedPartitions: 0 })
  const gauge = (name: string, help: string, of: (held: Held) => number): void => {
    new Gauge({
      name: `tickertone_pipeline_${name}`,
      help,
      registers,
      collect() {
        this.set(of(ask()))
      },
    })
  }
  gauge('held_bytes', 'Bytes of records that are being judged or written.', ({ bytes }) => bytes)
  gauge(
    'held_oldest_seconds',
    'How long the oldest batch has been in hand.',
    ({ oldestMs }) => oldestMs / 1_000,
  )
  gauge(
    'paused_partitions',
    'Partitions of this process that are paused: too much is in hand, or no expert can judge.',
    ({ pausedPartitions }) => pausedPartitions,
  )
  return {
    removed: (partition, offsets) => removed.inc({ partition }, offsets),
    assigned: (partition) => assignments.inc({ partition }),
    lost: (partition) => losses.inc({ partition }),
    report(held) {
      ask = held
    },
  }
}
