/** What the benches of the Kafka log share: the log on a broker, and posts for it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '../infra/log/kafka/connection.ts'
import type { KafkaDriver } from '../infra/log/kafka/driver.ts'
import { createKafkaLog, type KafkaLog } from '../infra/log/kafka/kafka-log.ts'
import { createKafkajsDriver } from '../infra/log/kafka/kafkajs.ts'
import { type NewRecord, topics } from '../infra/log/log.ts'
import { silentLogger } from '../infra/logger.ts'
import { packageRoot } from '../infra/package-root.ts'
import { createPlatformaticDriver } from './platformatic-driver.ts'

export const partitions = 4

export interface BenchLogOptions {
  readonly brokers: readonly string[]
  readonly topicPrefix: string
  readonly replicationFactor: number
  readonly sessionTimeoutMs: number
  readonly client: Client
}

export type Client = 'kafkajs' | 'platformatic'

/** Of a command line; kafkajs unless told. */
export const clientNamed = (name: string | undefined): Client =>
  name === 'platformatic' ? name : 'kafkajs'

/** With all topics that the pipeline needs. */
export async function openBenchLog(options: BenchLogOptions): Promise<KafkaLog> {
  const driver = driverOver(options.client, {
    brokers: options.brokers,
    clientId: 'bench',
    compression: 'none',
    tls: undefined,
    sasl: undefined,
  })
  await driver.connect()
  const log = createKafkaLog({
    driver,
    logger: silentLogger,
    options: {
      ...options,
      createTopics: true,
      minInsyncReplicas: Math.min(2, options.replicationFactor),
    },
  })
  await log.ensureTopics([
    { name: topics.posts, partitions },
    { name: topics.dead, partitions: 1 },
    { name: topics.feedback, partitions: 1 },
    { name: topics.control, partitions: 1 },
  ])
  return log
}

export function driverOver(client: Client, connection: Connection): KafkaDriver {
  return client === 'platformatic'
    ? createPlatformaticDriver(connection)
    : createKafkajsDriver({ connection, logger: silentLogger })
}

const tweets = readFileSync(join(packageRoot, 'data', 'market-tweets-2020.ndjson'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { text: string; kind: string; publishedAt: string })

/** The bundled tweets, each as often as needed, under new ids and with a number in the text: none is a duplicate. */
export function postRecord(idPrefix: string, index: number): NewRecord {
  const { text, kind, publishedAt } = tweets[index % tweets.length] ?? {}
  const id = `${idPrefix}-${index}`
  const post = { id, source: 'bench', kind, text: `${text} ${index}`, publishedAt }
  return { key: id, value: JSON.stringify(post) }
}

export async function appendPosts(log: KafkaLog, idPrefix: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 1_000)
    await log.append(
      topics.posts,
      Array.from({ length: Math.min(1_000, count - from) }, (_, i) =>
        postRecord(idPrefix, from + i),
      ),
    )
}
