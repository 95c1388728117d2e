/** What Prometheus sees of the members that were replaced. How far they are behind, a consumer's `progress` tells. */
import { Counter, type Registry } from 'prom-client'
import type { KafkaLog } from './kafka-log.ts'

/** Read when Prometheus asks. Followers of one topic are one group here. */
export function registerReplacements(registry: Registry, log: Pick<KafkaLog, 'groups'>): void {
  new Counter({
    name: 'tickertone_log_members_replaced_total',
    help: 'Members of consumer groups that were replaced, by what was wrong with them.',
    labelNames: ['group', 'why'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { group, replacements } of log.groups())
        for (const [why, count] of Object.entries(replacements)) this.inc({ group, why }, count)
    },
  })
}
