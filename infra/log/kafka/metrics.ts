/** What Prometheus sees of the consumer groups of this process. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { KafkaLog } from './kafka-log.ts'
import type { PartitionLag } from './watchdog.ts'

/** Read when Prometheus asks. Followers of one topic are one group here, told by the one that is furthest behind. */
export function registerLogMetrics(registry: Registry, log: Pick<KafkaLog, 'groups'>): void {
  const registers = [registry]
  const labelNames = ['group', 'topic', 'partition']
  new Gauge({
    name: 'tickertone_log_lag_records',
    help: 'Records of a partition of this process that are not handled yet. Absent while not known.',
    labelNames,
    registers,
    collect() {
      this.reset()
      const worst = new Map<string, number>()
      for (const { group, partition } of partitionsOf(log)) {
        const { lag, ...at } = partition
        const labels = { group, topic: at.topic, partition: at.partition }
        const key = JSON.stringify(labels)
        if (lag === undefined || lag < (worst.get(key) ?? 0)) continue
        worst.set(key, lag)
        this.set(labels, lag)
      }
    },
  })
  new Gauge({
    name: 'tickertone_log_lag_unknown_partitions',
    help: 'Partitions of this process whose lag is not known.',
    labelNames: ['group'],
    registers,
    collect() {
      this.reset()
      for (const { group, partition } of partitionsOf(log))
        this.inc({ group }, partition.lag === undefined ? 1 : 0)
    },
  })
  new Counter({
    name: 'tickertone_log_members_replaced_total',
    help: 'Members of consumer groups that were replaced, by what was wrong with them.',
    labelNames: ['group', 'why'],
    registers,
    collect() {
      this.reset()
      for (const { group, replacements } of log.groups())
        for (const [why, count] of Object.entries(replacements)) this.inc({ group, why }, count)
    },
  })
}

function partitionsOf(
  log: Pick<KafkaLog, 'groups'>,
): { readonly group: string; readonly partition: PartitionLag }[] {
  return log
    .groups()
    .flatMap(({ group, partitions }) => partitions.map((partition) => ({ group, partition })))
}
