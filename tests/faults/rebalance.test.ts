/** Several pipeline processes on one broker and one store: partitions come and go, processes die and sleep. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { brokerMissing, sharedBroker } from '../../infra/log/broker.fixture.ts'
import {
  newPrefix,
  openTestKafkaLog,
  plainConnection,
} from '../../infra/log/kafka/kafka-log.fixture.ts'
import { type Log, topics } from '../../infra/log/log.ts'
import { temporaryFolder } from '../../infra/store/analyses.fixture.ts'
import { checkContinuity } from '../../infra/store/continuity.ts'
import { type FrontProcess, startFrontProcess } from '../../infra/store/http-front.fixture.ts'
import { openServerStore } from '../../infra/store/server.ts'
import type { Store } from '../../infra/store/store.ts'
import { Crew, type Line, type PipelineProcess } from './pipeline-process.fixture.ts'

const skip = brokerMissing()
const broker = skip === false ? await sharedBroker() : ''
const logTopic = 'posts@0'
const partitions = 6
/** How many tokens the store remembers. */
const window = 5
const paceMs = 200

describe('several pipelines', { skip }, () => {
  const folder = temporaryFolder()
  const topicPrefix = newPrefix()
  const crew = new Crew()
  let front: FrontProcess
  let store: Store
  let log: Log

  before(async () => {
    front = await startFrontProcess({ path: folder.path })
    store = await openServerStore({ url: front.url })
    log = await openTestKafkaLog({ connection: plainConnection(broker), topicPrefix })
    await log.ensureTopics([
      { name: topics.posts, partitions },
      { name: topics.dead, partitions: 1 },
      { name: topics.feedback, partitions: 1 },
      { name: topics.control, partitions: 1 },
    ])
  })

  after(async () => {
    await crew.stop()
    await log.close()
    await store.close()
    await front.stop()
    folder.remove()
  })

  const start = (): PipelineProcess =>
    crew.start({
      logTopic,
      env: {
        KAFKA_BROKERS: broker,
        KAFKA_TOPIC_PREFIX: topicPrefix,
        KAFKA_SESSION_TIMEOUT_MS: '3000',
        CLICKHOUSE_URL: front.url,
        PIPELINE_EXPERTS: 'lexicon',
        PIPELINE_FLUSH_MS: '200',
      },
    })

  /** Some posts all the time, until it is told to stop; answers how many. */
  function produce(): { stop(): Promise<number> } {
    const stopping = new AbortController()
    const { signal } = stopping
    let count = 0
    const producing = (async () => {
      while (!signal.aborted) {
        const posts = Array.from({ length: 2 * partitions }, () => postOf(count++))
        await log.append(topics.posts, posts)
        await delay(paceMs, undefined, { signal }).catch(() => undefined)
      }
    })()
    return {
      async stop() {
        stopping.abort()
        await producing
        return count
      },
    }
  }

  it('lose and double nothing while partitions move, one is killed, and one sleeps longer than any token is kept', {
    timeout: 100_000,
  }, async () => {
    await store.command(
      `ALTER TABLE analyses MODIFY SETTING non_replicated_deduplication_window = ${window}`,
    )
    const producing = produce()
    const first = start()
    await crew.untilShared([first], partitions)
    const [second, third] = [start(), start()]
    await crew.untilShared([first, second, third], partitions)
    await first.kill()
    await crew.untilShared([second, third], partitions)

    second.sleepAtInsert()
    await crew.until(() => asleepOf(second) !== undefined)
    const { partition, mark } = asleepOf(second) ?? { partition: -1, mark: -1 }
    const before = blocksOf(third)
    await crew.untilShared([third], partitions)
    await crew.until(() => blocksOf(third) > before + 2 * window && crew.mark(partition) > mark)
    second.wake()
    const late = (): string | undefined =>
      second.lines.find(({ insert }) => insert?.partition === partition && insert.mark === mark)
        ?.insert?.outcome
    await crew.until(() => late() !== undefined)
    assert.equal(late(), 'mark-moved')
    await crew.untilShared([second, third], partitions)

    const count = await producing.stop()
    const ends = await log.endOffsets(topics.posts)
    for (const [each, end] of ends.entries())
      while ((await store.mark({ logTopic, partition: each })) < end - 1);
    assert.deepEqual(await checkContinuity(store, logTopic), [])
    const rows = await store.query<{ id: string; outcome: string; copies: number }>(
      'SELECT post_id AS id, outcome, count() AS copies FROM analyses WHERE log_topic = {logTopic:String} AND ordinal = 0 GROUP BY id, outcome',
      { logTopic },
    )
    assert.deepEqual(
      rows.toSorted((a, b) => numberOf(a.id) - numberOf(b.id)),
      Array.from({ length: count }, (_, n) => ({ id: idOf(n), outcome: 'scored', copies: 1 })),
    )
  })
})

function asleepOf({ lines }: PipelineProcess): Line['asleep'] {
  return lines.find(({ asleep }) => asleep !== undefined)?.asleep
}

/** How many blocks it has stored. */
function blocksOf({ lines }: PipelineProcess): number {
  return lines.filter(({ insert }) => insert?.outcome === 'acknowledged').length
}

const numberOf = (id: string): number => Number(id.slice('post-'.length))
const idOf = (n: number): string => `post-${n}`

function postOf(n: number) {
  const id = idOf(n)
  const value = {
    id,
    source: 'test',
    kind: 'news',
    text: `$FB falls for the time number ${n}`,
    publishedAt: '2026-01-01T00:00:00Z',
  }
  return { key: id, value: JSON.stringify(value) }
}
