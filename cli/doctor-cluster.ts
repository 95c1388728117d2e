/** What `doctor` asks of a cluster. It creates and changes nothing there. */
import type { Config } from '../infra/config.ts'
import { AppError, describeError } from '../infra/errors.ts'
import type { KafkaLog } from '../infra/log/kafka/kafka-log.ts'
import { openKafkaLog } from '../infra/log/kafka/open.ts'
import { topics } from '../infra/log/log.ts'
import { silentLogger } from '../infra/logger.ts'
import { inspectServer } from '../infra/store/server.ts'
import { topicsOf } from './wiring/open-log.ts'

/** Topics as they must be, and a group that this user may read one of them with. Whether it may append, the first append shows. */
export async function checkKafka(config: Config): Promise<string> {
  const { kafka } = config
  const options = { ...kafka, createTopics: false }
  const log = await openKafkaLog({ options, logger: silentLogger })
  try {
    const wanted = topicsOf(config)
    const found = await Promise.all(wanted.map(({ name }) => isThere(log, name)))
    const missing = wanted.filter((_, i) => !found[i]).map(({ name }) => name)
    if (missing.length > 0 && !kafka.createTopics)
      throw new AppError('LOG', `${missing.join(', ')}: missing, and kafka.createTopics is off`)
    await log.ensureTopics(wanted.filter((_, i) => found[i]))
    const where = `at ${kafka.brokers.join(', ')}`
    if (missing.length > 0) return `${where}; a start would create ${missing.join(', ')}`
    await join(log, kafka.topicPrefix)
    return `${where}; ${wanted.length} topics have the right settings, and a group can read`
  } finally {
    await log.close()
  }
}

async function isThere(log: KafkaLog, topic: string): Promise<boolean> {
  try {
    await log.partitions(topic)
    return true
  } catch (error) {
    // A refusal has the broker's own as its cause: a topic that this user may not see is not one to be created.
    const isMissing = error instanceof AppError && error.code === 'LOG' && error.cause === undefined
    if (isMissing) return false
    throw error
  }
}

async function join(log: KafkaLog, prefix: string): Promise<void> {
  try {
    const follower = await log.follow(
      topics.control,
      await log.endOffsets(topics.control),
      async () => {},
    )
    await follower.stop()
  } catch (cause) {
    const names =
      prefix === '' ? 'its topics and groups' : `topics and groups that begin with ${prefix}`
    throw new AppError('LOG', `${describeError(cause)}: allow this user to read ${names}`, {
      cause,
    })
  }
}

export async function checkClickHouse({ clickhouse }: Config): Promise<string> {
  const { version, database, isReady } = await inspectServer(clickhouse)
  const tables = isReady ? 'has the tables' : 'gets its tables at the first start'
  return `ClickHouse ${version}; the database ${database} ${tables}`
}
