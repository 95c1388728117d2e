/** What live sources take from the configuration and the environment. */
import { type Config, environmentVariable } from '../infra/config.ts'
import type { KafkaOptions } from '../infra/config-kafka.ts'
import type { Logger } from '../infra/logger.ts'
import type { ForeignCluster, LiveSources } from '../ingest/sources/sources.ts'
import { version } from './version.ts'

export function liveSourcesOf(config: Config, logger: Logger): Omit<LiveSources, 'registry'> {
  const { sources, fetching, dataDir, kafka } = config
  return {
    configs: sources,
    fetching,
    dataDir,
    version,
    secret: environmentVariable,
    async openForeignLog(cluster) {
      const { openKafkaLog } = await import('../infra/log/kafka/open.ts')
      return openKafkaLog({ options: optionsOf(cluster, kafka), logger })
    },
  }
}

/** Topics and groups of other clusters have their own names, and are only read. */
function optionsOf({ brokers, tls, sasl }: ForeignCluster, own: KafkaOptions): KafkaOptions {
  const noFiles = { caFile: '', certFile: '', keyFile: '' }
  return {
    ...own,
    brokers: [...brokers],
    topicPrefix: '',
    createTopics: false,
    tls: { enabled: tls !== undefined, ...noFiles, ...tls },
    sasl: sasl ?? { mechanism: 'none', username: '', password: '' },
  }
}
