/** All live sources of the configuration, each under a supervisor of its own. */
import { join } from 'node:path'
import type { Registry } from 'prom-client'
import type { Clock } from '../../infra/clock.ts'
import type { KafkaTopicSource, SourceConfig, SourceDefaults } from '../../infra/config-sources.ts'
import type { Log } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import { type ScheduledJob, schedule } from '../../infra/schedule.ts'
import { realSleep, type Sleep } from '../replay.ts'
import { createLogDelivery } from './delivery.ts'
import { createFeed } from './feed.ts'
import { createFileTail } from './file-tail.ts'
import { Hosts } from './hosts.ts'
import { createFetcher, type Fetcher } from './http.ts'
import { createJsonPoller } from './json-poller.ts'
import { createKafkaTopic, type ForeignLog } from './kafka-topic.ts'
import { createSourceMetrics } from './metrics.ts'
import { resolveSecrets, type Secret } from './secrets.ts'
import type { Source } from './source.ts'
import { createStateStore } from './state.ts'
import { type SourceStatus, Supervisor } from './supervisor.ts'

/** What reading from elsewhere takes. */
export interface Surroundings {
  readonly fetching: SourceDefaults
  /** Of this program, for the User-Agent. */
  readonly version: string
  /** Value of an environment variable. */
  readonly secret: Secret
  /** A log on other brokers. */
  openForeignLog(cluster: ForeignCluster): Promise<ForeignLog>
}

export interface ForeignCluster {
  readonly brokers: readonly string[]
  readonly tls: KafkaTopicSource['tls'] | undefined
  readonly sasl:
    | (Omit<NonNullable<KafkaTopicSource['sasl']>, 'password'> & { readonly password: string })
    | undefined
}

export interface LiveSources extends Surroundings {
  readonly configs: readonly SourceConfig[]
  /** Their state is kept in a folder of it. */
  readonly dataDir: string
  readonly registry: Registry
}

interface Time {
  readonly clock: Clock
  readonly sleep?: Sleep | undefined
}

/** Makes sources that share their politeness. */
export function createSourceBuilder(deps: Surroundings & Time): (config: SourceConfig) => Source {
  const { clock, sleep = realSleep, secret } = deps
  const fetcher: Fetcher = createFetcher({
    hosts: new Hosts({ clock, sleep }),
    clock,
    limits: { ...deps.fetching, userAgent: userAgentOf(deps) },
  })
  return (config) => {
    switch (config.type) {
      case 'feed':
        return createFeed(config, {
          fetcher,
          clock,
          headers: () => resolveSecrets(config.headers, secret),
        })
      case 'json-poller':
        return createJsonPoller(config, {
          fetcher,
          clock,
          headers: () => resolveSecrets(config.headers, secret),
          query: () => resolveSecrets(config.query, secret),
        })
      case 'kafka-topic':
        return createKafkaTopic(config, {
          clock,
          openLog: async () => deps.openForeignLog(clusterOf(config, secret)),
        })
      case 'file-tail':
        return createFileTail(config, { clock, sleep })
    }
  }
}

export interface Sources {
  /** Idempotent. */
  start(): void
  /** Resolves when no source runs any more. Idempotent. */
  stop(): Promise<void>
  statuses(): readonly SourceStatus[]
  /** What keeps sources from their work now, by `source NAME`: failing ones and silent ones. */
  troubles(): Readonly<Record<string, string>>
}

export function createSources(
  deps: LiveSources & Time & { readonly log: Pick<Log, 'append'>; readonly logger: Logger },
): Sources {
  const { configs, log, clock, logger, sleep = realSleep } = deps
  const build = createSourceBuilder(deps)
  const metrics = createSourceMetrics(deps.registry)
  const delivery = createLogDelivery({ log, clock, sleep })
  const state = createStateStore(join(deps.dataDir, 'sources'), logger)
  const supervisors = configs.map(
    (config) =>
      new Supervisor({
        config,
        source: build(config),
        delivery,
        state,
        clock,
        sleep,
        random: Math.random,
        logger,
        metrics,
      }),
  )
  let watch: ScheduledJob | undefined
  return {
    start() {
      if (watch !== undefined || supervisors.length === 0) return
      for (const supervisor of supervisors) supervisor.start()
      watch = schedule(
        '* * * * *',
        'UTC',
        async () => {
          for (const supervisor of supervisors) supervisor.watchSilence()
        },
        logger,
      )
    },
    async stop() {
      await Promise.all([watch?.stop(), ...supervisors.map((supervisor) => supervisor.stop())])
      watch = undefined
    },
    statuses: () => supervisors.map((supervisor) => supervisor.status()),
    troubles: () =>
      Object.fromEntries(
        supervisors.flatMap((supervisor) => {
          const trouble = troubleOf(supervisor.status())
          return trouble === undefined ? [] : [trouble]
        }),
      ),
  }
}

function troubleOf({ name, owner, lastError, silent }: SourceStatus): [string, string] | undefined {
  const of = (what: string): [string, string] => [`source ${name}`, `${what} (owner: ${owner})`]
  if (lastError !== undefined) return of(lastError)
  return silent ? of('silent') : undefined
}

function userAgentOf({ version, fetching }: Surroundings): string {
  return `Tickertone/${version}${fetching.contact === '' ? '' : ` (+${fetching.contact})`}`
}

function clusterOf({ brokers, tls, sasl }: KafkaTopicSource, secret: Secret): ForeignCluster {
  const password = resolveSecrets(sasl && { password: sasl.password }, secret).password ?? ''
  return { brokers, tls, sasl: sasl && { ...sasl, password } }
}
