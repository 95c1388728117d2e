/** The log on the cluster that the configuration names. */
import type { KafkaOptions } from '../../config-kafka.ts'
import type { Logger } from '../../logger.ts'
import { connectionOf } from './connection.ts'
import { createKafkaLog, type KafkaLog } from './kafka-log.ts'
import { createKafkajsDriver } from './kafkajs.ts'

/** Throws `CONFIG`, or `LOG_UNREACHABLE` after some seconds without an answer. */
export async function openKafkaLog(deps: {
  readonly options: KafkaOptions
  readonly logger: Logger
}): Promise<KafkaLog> {
  const { options, logger } = deps
  const driver = createKafkajsDriver({ connection: connectionOf(options), logger })
  await driver.connect()
  return createKafkaLog({ driver, options, logger })
}
