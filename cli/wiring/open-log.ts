/** The log of a process: on the cluster where brokers are named, otherwise the embedded one, which this process then owns. */
import type { Registry } from 'prom-client'
import { systemClock } from '../../infra/clock.ts'
import type { Config } from '../../infra/config.ts'
import type { Lifecycle } from '../../infra/lifecycle.ts'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { EmbeddedLog } from '../../infra/log/embedded-log.ts'
import { registerReplacements } from '../../infra/log/kafka/metrics.ts'
import { type Log, type TopicSpec, topics } from '../../infra/log/log.ts'
import { meteredLog } from '../../infra/log/metered-log.ts'
import type { Logger } from '../../infra/logger.ts'
import { type ScheduledJob, schedule } from '../../infra/schedule.ts'
import type { ErasableLog } from '../../pipeline/erasure/log.ts'
import type { Health } from '../health.ts'
import { logFolder } from '../local-store.ts'
import { probeLog } from './log-probe.ts'

export interface OpenLogDeps {
  readonly config: Config
  readonly logger: Logger
  readonly lifecycle: Lifecycle
  readonly registry: Registry
  readonly health: Health
}

export const usesKafka = ({ kafka }: Pick<Config, 'kafka'>): boolean => kafka.brokers.length > 0

/** The embedded one can be rewritten, where posts are to be forgotten. */
export type OpenedLog = Log & Pick<ErasableLog, 'rewrite'>

/** Opens it with all topics; the lifecycle closes it. */
export async function openLog(deps: OpenLogDeps): Promise<OpenedLog> {
  const { config, registry } = deps
  if (usesKafka(config)) return meteredLog(await openCluster(deps), registry)
  const own = await openOwn(deps)
  return {
    ...meteredLog(own, registry),
    rewrite: (topic, replace) => own.rewrite(topic, replace),
  }
}

async function openCluster({
  config,
  logger,
  lifecycle,
  health,
  registry,
}: OpenLogDeps): Promise<Log> {
  // The client and its native codecs are loaded where there is a cluster.
  const { openKafkaLog } = await import('../../infra/log/kafka/open.ts')
  const log = await lifecycle.start(
    'log',
    () => withTopics(openKafkaLog({ options: config.kafka, logger }), config),
    (log) => log.close(),
  )
  registerReplacements(registry, log)
  health.watch(() => {
    const failure = log.health()
    return failure === undefined ? {} : { consumers: failure }
  })
  await lifecycle.start(
    'log probe',
    () => probeLog({ log, onHealth: (error) => health.report('log', error) }),
    (probe) => probe.stop(),
  )
  return log
}

async function openOwn({ config, logger, lifecycle }: OpenLogDeps): Promise<EmbeddedLog> {
  const log = await lifecycle.start(
    'log',
    async () => {
      const path = logFolder(config)
      return withTopics(createEmbeddedLog({ path, clock: systemClock, logger }), config)
    },
    (log) => log.close(),
  )
  await lifecycle.start(
    'retention',
    () => keepRetention(log, logger),
    (job) => job.stop(),
  )
  return log
}

/** Closed again where a topic is refused. */
async function withTopics<L extends Log>(opening: L | Promise<L>, config: Config): Promise<L> {
  const log = await opening
  try {
    await log.ensureTopics(topicsOf(config))
    return log
  } catch (error) {
    await log.close()
    throw error
  }
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
function keepRetention(log: EmbeddedLog, logger: Logger): ScheduledJob {
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
