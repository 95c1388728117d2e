/** Where a life's log and store are. */
import type { Clock } from '../../../infra/clock.ts'
import { createEmbeddedLog } from '../../../infra/log/embedded.ts'
import { openTestKafkaLog, plainConnection } from '../../../infra/log/kafka/kafka-log.fixture.ts'
import { type Log, topics } from '../../../infra/log/log.ts'
import { silentLogger } from '../../../infra/logger.ts'
import { openEmbeddedStore } from '../../../infra/store/embedded.ts'
import { openServerStore } from '../../../infra/store/server.ts'
import type { Store } from '../../../infra/store/store.ts'
import type { LifeOrder, LogPlace, StorePlace } from './messages.ts'

/** Shorter than any pause of a process, and than anybody's patience. */
const sessionTimeoutMs = 1_500

/** With the topics that a pipeline needs. */
export async function openLog(
  { log: place, partitions }: Pick<LifeOrder, 'log' | 'partitions'>,
  clock: Clock,
): Promise<Log> {
  const log = await connect(place, clock)
  await log.ensureTopics([
    { name: topics.posts, partitions },
    { name: topics.dead, partitions: 1 },
  ])
  return log
}

async function connect(place: LogPlace, clock: Clock): Promise<Log> {
  if (place.kind === 'kafka') {
    const connection = plainConnection(place.broker)
    return openTestKafkaLog({ connection, topicPrefix: place.topicPrefix, sessionTimeoutMs })
  }
  const backoff = { firstMs: 5, maxMs: 50 }
  return createEmbeddedLog({ path: place.path, clock, logger: silentLogger, backoff })
}

export async function openStore(
  order: Pick<LifeOrder, 'store' | 'deduplicationWindow'>,
): Promise<Store> {
  const store = await connectStore(order.store)
  await store.command(
    `ALTER TABLE analyses MODIFY SETTING non_replicated_deduplication_window = ${order.deduplicationWindow}`,
  )
  return store
}

const connectStore = (place: StorePlace): Promise<Store> =>
  place.kind === 'server'
    ? openServerStore({ url: place.url })
    : openEmbeddedStore({ path: place.path })
