/** The log of a process: Kafka where brokers are named, otherwise the embedded one, which this process then owns. */
import type { Registry } from 'prom-client'
import { systemClock } from '../../infra/clock.ts'
import type { Config } from '../../infra/config.ts'
import type { Lifecycle } from '../../infra/lifecycle.ts'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { EmbeddedLog } from '../../infra/log/embedded-log.ts'
import { type Log, type TopicSpec, topics } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import { schedule } from '../../infra/schedule.ts'
import type { Health } from '../health.ts'
import { logFolder } from '../local-store.ts'

export interface OpenLogDeps {
  readonly config: Config
  readonly logger: Logger
  readonly lifecycle: Lifecycle
  readonly registry: Registry
  readonly health: Health
}

/** Opens it with all topics; the lifecycle closes it. */
export async function openLog(deps: OpenLogDeps): Promise<Log> {
  const { config, lifecycle, logger } = deps
  const log = await lifecycle.start(
    'log',
    () => openEmbedded(config, logger),
    (log) => log.close(),
  )
  await lifecycle.start(
    'retention',
    () => keepRetention(log, logger),
    (job) => job.stop(),
  )
  return log
}

async function openEmbedded(config: Config, logger: Logger): Promise<EmbeddedLog> {
  const log = createEmbeddedLog({ path: logFolder(config), clock: systemClock, logger })
  await log.ensureTopics(topicsOf(config))
  return log
}

export function topicsOf({ log }: Pick<Config, 'log'>): TopicSpec[] {
  return [
    {
      name: topics.posts,
      partitions: log.partitions,
      retentionMs: log.retentionHours * 3_600_000,
      retentionBytes: log.retentionMegabytes * 1_048_576,
    },
    { name: topics.dead, partitions: 1 },
    { name: topics.feedback, partitions: 1 },
    { name: topics.control, partitions: 1 },
  ]
}

/** A broker does this itself. */
function keepRetention(log: EmbeddedLog, logger: Logger) {
  return schedule(
    '*/10 * * * *',
    'UTC',
    async () => {
      const removed = await log.enforceRetention()
      if (removed > 0) logger.info({ removed }, 'records left the log by retention')
    },
    logger,
  )
}
