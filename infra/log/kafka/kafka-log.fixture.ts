/** A log on a real broker for tests, with a prefix of its own. */
import { randomUUID } from 'node:crypto'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { type Logger, silentLogger } from '../../logger.ts'
import { eventually } from '../log.fixture.ts'
import type { Connection } from './connection.ts'
import type { KafkaDriver } from './driver.ts'
import { createKafkaLog, type KafkaLog, type KafkaLogOptions } from './kafka-log.ts'
import { createKafkajsDriver } from './kafkajs.ts'

export const newPrefix = (): string => `test-${randomUUID()}.`

export function plainConnection(address: string): Connection {
  return {
    brokers: [address],
    clientId: 'tickertone-test',
    compression: 'none',
    tls: undefined,
    sasl: undefined,
  }
}

export interface TestKafkaLog extends Partial<KafkaLogOptions> {
  readonly connection: Connection
  readonly logger?: Logger
  readonly monotonic?: () => number
  /** Stands between the log and its driver. */
  readonly around?: (driver: KafkaDriver) => KafkaDriver
}

export async function openTestKafkaLog(test: TestKafkaLog): Promise<KafkaLog> {
  const { connection, logger = silentLogger, monotonic, around, ...options } = test
  const driver = createKafkajsDriver({ connection, logger })
  await driver.connect()
  return createKafkaLog({
    driver: around?.(driver) ?? driver,
    logger,
    ...(monotonic === undefined ? {} : { monotonic }),
    backoff: { firstMs: 5, maxMs: 20 },
    options: {
      topicPrefix: '',
      createTopics: true,
      replicationFactor: 1,
      minInsyncReplicas: 0,
      sessionTimeoutMs: 10_000,
      ...options,
    },
  })
}

/** The driver with some methods of the test's own. */
export function withOwn(driver: KafkaDriver, own: Partial<KafkaDriver>): KafkaDriver {
  return new Proxy(driver, {
    get(target, name) {
      return Reflect.get(own, name) ?? Reflect.get(target, name).bind(target)
    },
  })
}

/** Another program on the same cluster. */
export function foreignClient(address: string): Kafka {
  return new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 8 },
  })
}

export async function withAdmin<T>(
  address: string,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = foreignClient(address).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** A topic that another program made. */
export async function createElsewhere(
  address: string,
  topic: string,
  partitions: number,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await withAdmin(address, async (admin) => {
    const topics = [{ topic, numPartitions: partitions, configEntries }]
    await admin.createTopics({ topics, waitForLeaders: false }) // it fails where the topic is not known at once
    await eventually(() =>
      admin.fetchTopicMetadata({ topics: [topic] }).then(
        () => true,
        () => false,
      ),
    )
  })
}
