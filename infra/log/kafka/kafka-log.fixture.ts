/** A log on a real broker for tests, with a prefix of its own. */
import { randomUUID } from 'node:crypto'
import { silentLogger } from '../../logger.ts'
import type { Log } from '../log.ts'
import type { Connection } from './connection.ts'
import { createKafkaLog, type KafkaLogOptions } from './kafka-log.ts'
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
}

export async function openTestKafkaLog({ connection, ...options }: TestKafkaLog): Promise<Log> {
  const logger = silentLogger
  const driver = createKafkajsDriver({ connection, logger })
  await driver.connect()
  return createKafkaLog({
    driver,
    logger,
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
