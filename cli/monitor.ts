/** The wiring of one process with all roles: what is built from what, and in which order it starts. */
import { randomUUID } from 'node:crypto'
import type { Writable } from 'node:stream'
import { Registry } from 'prom-client'
import { createAlerts, createPrintChannel } from '../alerts/main.ts'
import { createDashboards } from '../dashboards/main.ts'
import { createServer, listen } from '../dashboards/server.ts'
import { systemClock as clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { Lifecycle } from '../infra/lifecycle.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import type { EmbeddedLog } from '../infra/log/embedded-log.ts'
import { type TopicSpec, topics } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import { announce, withdraw } from '../infra/running.ts'
import { schedule } from '../infra/schedule.ts'
import { checkContinuity } from '../infra/store/continuity.ts'
import { currentEpoch, logTopicOf } from '../infra/store/epochs.ts'
import type { Store } from '../infra/store/store.ts'
import { createTail } from '../infra/store/tail.ts'
import { createIngest } from '../ingest/main.ts'
import { startPipelineRole } from '../pipeline/main.ts'
import { type RunningDemo, startDemo } from './demo.ts'
import { createHealth } from './health.ts'
import { liveSourcesOf } from './live-sources.ts'
import { logFolder, openStore } from './local-store.ts'
import { version } from './version.ts'

export interface MonitorOptions {
  readonly config: Config
  readonly logger: Logger
  /** Where alerts and the address are printed. */
  readonly stdout: Writable
  readonly demo: boolean
  /** Something failed that ends the monitor's work. */
  onFatal(error: unknown): void
}

/**
 * Starts every part in order and resolves with the address of the page. Whoever calls stops the lifecycle, also after a failure.
 * The pipeline has compared log and store before anything can be appended.
 */
export async function startMonitor(
  lifecycle: Lifecycle,
  { config, logger, stdout, demo, onFatal }: MonitorOptions,
): Promise<string> {
  const { dataDir, http } = config
  const store = await lifecycle.start(
    'store',
    () => openStore(config),
    (store) => store.close(),
  )
  const log = await lifecycle.start(
    'log',
    () => openLog(config, logger),
    (log) => log.close(),
  )
  const logTopic = logTopicOf(topics.posts, await currentEpoch(store, topics.posts))
  const tail = createTail(store, logTopic)
  const registry = new Registry()
  const shared = { store, log, tail, logTopic, clock, logger, registry }

  const health = createHealth()
  const pipeline = await lifecycle.start(
    'pipeline',
    () =>
      startPipelineRole({
        ...shared,
        config: config.pipeline,
        onFatal,
        onHealth: (partition, error) => health.report(`pipeline ${partition}`, error),
      }),
    (role) => role.stop(),
  )
  health.watch(() => pipeline.failures())
  const instrumentName = (id: string) => pipeline.instrument(id)?.name ?? id
  const alerts = createAlerts({
    ...shared,
    config,
    instrumentName,
    channels: [createPrintChannel(stdout)],
    publicUrl: () => url,
    onHealth: (error) => health.report('alerts', error),
  })
  const ingest = createIngest({ ...shared, live: { ...liveSourcesOf(config), registry } })
  health.note(() => ingest.troubles())
  let replay: RunningDemo | undefined
  let url = ''
  const dashboards = createDashboards({
    ...shared,
    instrument: (id) => pipeline.instrument(id),
    replayStatus: () => replay?.status() ?? null,
    versions: { tickertone: version, ...pipeline.versions },
  })

  const instance = randomUUID()
  const server = createServer({
    logger,
    version,
    instance,
    metrics: registry,
    readiness: () => health.readiness(),
  })
  await server.register(ingest.plugin)
  await server.register(pipeline.plugin)
  await server.register(alerts.plugin)
  await server.register(dashboards.plugin)
  url = await lifecycle.start(
    'http',
    () => listen(server, http),
    () => server.close(),
  )
  await lifecycle.start(
    'announcement',
    () => announce(dataDir, { url, instance }),
    () => withdraw(dataDir),
  )
  await lifecycle.start(
    'ingest',
    () => ingest.start(),
    () => ingest.stop(),
  )
  alerts.onEvent((event) => dashboards.publishAlert(event))
  await lifecycle.start(
    'alerts',
    () => alerts.start(),
    () => alerts.stop(),
  )
  await lifecycle.start(
    'housekeeping',
    () => keepHouse(shared),
    (jobs) => jobs.stop(),
  )
  if (demo) {
    replay = await lifecycle.start(
      'demo',
      () =>
        startDemo({
          ...shared,
          config: config.demo,
          seeded: (offset, signal) => alerts.seeded(offset, signal),
        }),
      (running) => running.stop(),
    )
  }
  health.started()
  return url
}

async function openLog(config: Config, logger: Logger): Promise<EmbeddedLog> {
  const log = createEmbeddedLog({ path: logFolder(config), clock, logger })
  await log.ensureTopics(topicsOf(config))
  return log
}

function topicsOf({ log }: Config): TopicSpec[] {
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

/** What runs by the clock: retention of the log, and the check that every block of the table starts where the last one ended. */
function keepHouse(deps: {
  readonly log: EmbeddedLog
  readonly store: Store
  readonly logTopic: string
  readonly logger: Logger
}): { stop(): Promise<void> } {
  const { log, store, logTopic, logger } = deps
  const stopping = new AbortController()
  const retention = schedule(
    '*/10 * * * *',
    'UTC',
    async () => {
      const removed = await log.enforceRetention()
      if (removed > 0) logger.info({ removed }, 'records left the log by retention')
    },
    logger,
  )
  const continuity = schedule(
    '15 3 * * *',
    'UTC',
    async () => {
      const faults = await checkContinuity(store, logTopic, stopping.signal)
      if (faults.length > 0) logger.error({ faults }, 'analyses has missing or doubled offsets')
    },
    logger,
  )
  return {
    async stop() {
      stopping.abort()
      await Promise.all([retention.stop(), continuity.stop()])
    },
  }
}
