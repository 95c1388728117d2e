/** Several pipeline processes on one broker and one store: partitions come and go, processes die and sleep. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
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
import { type PipelineProcess, startPipelineProcess } from './pipeline-process.fixture.ts'

const skip = brokerMissing()
const broker = skip === false ? await sharedBroker() : ''
const logTopic = 'posts@0'
const partitions = 6

describe('several pipelines', { skip }, () => {
  const folder = temporaryFolder()
  const topicPrefix = newPrefix()
  const running = new Set<PipelineProcess>()
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
    await Promise.all([...running].map((pipeline) => pipeline.kill()))
    await log.close()
    await store.close()
    await front.stop()
    folder.remove()
  })

  function start(): PipelineProcess {
    const pipeline = startPipelineProcess({
      logTopic,
      env: {
        KAFKA_BROKERS: broker,
        KAFKA_TOPIC_PREFIX: topicPrefix,
        KAFKA_SESSION_TIMEOUT_MS: '2000',
        CLICKHOUSE_URL: front.url,
        PIPELINE_EXPERTS: 'lexicon',
        PIPELINE_FLUSH_MS: '50',
        LOG_LEVEL: 'info',
      },
    })
    running.add(pipeline)
    return pipeline
  }

  async function end(pipeline: PipelineProcess): Promise<void> {
    await pipeline.kill()
    running.delete(pipeline)
  }

  /** Posts of one text, a few at a time, until it is told to stop; answers how many. */
  function produce(): { stop(): Promise<number> } {
    let stopped = false
    let count = 0
    const producing = (async () => {
      while (!stopped) {
        const posts = Array.from({ length: 12 }, () => postOf(count++))
        await log.append(topics.posts, posts)
        await stored()
      }
    })()
    return {
      async stop() {
        stopped = true
        await producing
        return count
      },
    }
  }

  const marks = (): Promise<number[]> =>
    Promise.all(
      Array.from({ length: partitions }, (_, partition) => store.mark({ logTopic, partition })),
    )

  const stored = async (): Promise<number> =>
    (await marks()).reduce((sum, mark) => sum + mark + 1, 0)

  /** Resolves when the processes together have all partitions, and no one of them has none. */
  async function untilShared(pipelines: readonly PipelineProcess[]): Promise<void> {
    for (;;) {
      const shares = pipelines.map((pipeline) => pipeline.partitions())
      const sum = shares.reduce((all, share) => all + share, 0)
      if (sum === partitions && !shares.includes(0)) return
      await marks()
    }
  }

  async function untilStored(count: number): Promise<void> {
    while ((await stored()) < count);
  }

  it('lose and double nothing while partitions move, one is killed, and one sleeps longer than any token is kept', {
    timeout: 100_000,
  }, async () => {
    await store.command(
      'ALTER TABLE analyses MODIFY SETTING non_replicated_deduplication_window = 5',
    )
    const producing = produce()
    const first = start()
    await untilShared([first])
    const second = start()
    await untilShared([first, second])
    const third = start()
    await untilShared([first, second, third])
    await end(first)
    await untilShared([second, third])

    second.sleepAtInsert()
    const { asleep } = await second.until((line) => line.asleep !== undefined)
    await untilShared([third])
    const [behind] = await Promise.all([marks()])
    const partition = asleep?.partition ?? -1
    assert.equal(behind[partition], asleep?.mark)
    // Many more blocks than the window has tokens.
    while (((await marks())[partition] ?? 0) < (asleep?.mark ?? 0) + 40);
    second.signal('SIGCONT')
    const { insert } = await second.until(
      ({ insert }) => insert?.partition === partition && insert.mark === asleep?.mark,
    )
    assert.equal(insert?.outcome, 'mark-moved')
    await untilShared([second, third])

    const count = await producing.stop()
    await untilStored(count)
    assert.deepEqual(await checkContinuity(store, logTopic), [])
    const rows = await store.query<{ id: string; copies: number }>(
      "SELECT post_id AS id, count() AS copies FROM analyses WHERE log_topic = {logTopic:String} AND ordinal = 0 AND outcome = 'scored' GROUP BY id",
      { logTopic },
    )
    assert.deepEqual(
      rows.filter(({ copies }) => copies !== 1),
      [],
    )
    assert.deepEqual(
      new Set(rows.map(({ id }) => id)),
      new Set(Array.from({ length: count }, (_, n) => idOf(n))),
    )
  })
})

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
