/**
 * The whole path over Kafka, beside what kafkajs does without it, on one broker in one run: posts/s from the topic into the store with the
 * linear expert; the same rows by bare `eachBatch`, which parses the same JSON and inserts them without judging, mark, fence, token or
 * confirmation; and how long a post takes from append until it can be read back, at half of our rate.
 *
 *   npm run -s build && node dist/bench/kafka.js [POSTS] [ROUNDS] [kafkajs|platformatic]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { startBroker } from '../infra/log/broker.fixture.ts'
import type { KafkaLog } from '../infra/log/kafka/kafka-log.ts'
import { topics } from '../infra/log/log.ts'
import { silentLogger } from '../infra/logger.ts'
import { seededRandom } from '../infra/seeded-random.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import { fromStoreTime } from '../infra/store/store-time.ts'
import { type Cursor, createTail } from '../infra/store/tail.ts'
import { createLinker } from '../pipeline/entities/link.ts'
import { startPipelineRole } from '../pipeline/main.ts'
import { appendPosts, clientNamed, openBenchLog, partitions, postRecord } from './kafka-log.ts'
import { openLoop, percentile, poissonArrivals } from './open-loop.ts'

const posts = Number(process.argv[2] ?? 30_000)
const rounds = Number(process.argv[3] ?? 3)
const client = clientNamed(process.argv[4])
const steadyMs = 20_000
/** How often the reader of the store looks: the error of a delay. */
const lookMs = 10

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const config = loadConfig({ env: { PIPELINE_EXPERTS: 'linear' } }).pipeline

type Row = Readonly<Record<string, unknown>> & {
  readonly partition: number
  readonly offset: number | string
  readonly appended_at: string
}

/** From the first block to the last: connecting, joining and loading models are not what is measured. */
class Meter {
  #first: { readonly at: number; readonly posts: number } | undefined
  #last = 0
  #posts = 0
  #full: () => void = () => {}

  stored(count: number): void {
    this.#last = performance.now()
    this.#posts += count
    this.#first ??= { at: this.#last, posts: this.#posts }
    if (this.#posts >= posts) this.#full()
  }

  /** Resolves when all posts are stored. */
  full(): Promise<void> {
    return new Promise((resolve) => {
      this.#full = resolve
      if (this.#posts >= posts) resolve()
    })
  }

  perSecond(): number {
    if (this.#first === undefined) return 0
    return ((this.#posts - this.#first.posts) * 1_000) / (this.#last - this.#first.at)
  }
}

function metered(store: Store, meter: Meter): Store {
  return {
    ...store,
    async insertBlock(block) {
      const outcome = await store.insertBlock(block)
      if (outcome.kind === 'acknowledged') meter.stored(block.last - block.mark)
      return outcome
    },
  }
}

const broker = await startBroker()
const folder = mkdtempSync(join(tmpdir(), 'tickertone-bench-'))
const store = await openEmbeddedStore({ path: folder })
try {
  await store.command('CREATE TABLE bare AS analyses')
  const shares: number[] = []
  let ours = 0
  for (let round = 0; round < rounds; round += 1) {
    const [own, bare] = await compare(round)
    ours = own
    shares.push(own / bare)
    say(
      `round ${round + 1}: ours ${own.toFixed(0)} posts/s, bare eachBatch ${bare.toFixed(0)} posts/s, share ${((own / bare) * 100).toFixed(0)}%`,
    )
  }
  say(
    `share of bare eachBatch, median of ${rounds}: ${(percentile(shares, 0.5) * 100).toFixed(0)}%`,
  )
  await reportDelays(ours / 2)
} finally {
  await store.close()
  rmSync(folder, { recursive: true })
  await broker.stop()
}

async function openLog(name: string): Promise<KafkaLog> {
  return openBenchLog({
    brokers: [broker.address],
    topicPrefix: `${name}.`,
    replicationFactor: 1,
    sessionTimeoutMs: 10_000,
    client,
  })
}

/** Posts/s of ours, then of bare kafkajs, over one topic. */
async function compare(round: number): Promise<readonly [number, number]> {
  const name = `round-${round}`
  const logTopic = `posts@${round}`
  const log = await openLog(name)
  await appendPosts(log, name, posts)
  const meter = new Meter()
  const role = await startPipelineRole({
    ...pipelineDeps(log, logTopic),
    store: metered(store, meter),
  })
  await meter.full()
  await role.stop()
  await log.close()
  return [meter.perSecond(), await bareEachBatch(`${name}.posts`, logTopic)]
}

function pipelineDeps(log: KafkaLog, logTopic: string) {
  return {
    log,
    store,
    logTopic,
    config,
    linker: createLinker({}),
    clock: systemClock,
    logger: silentLogger,
    onFatal(error: unknown): void {
      throw error
    },
  }
}

async function bareEachBatch(topic: string, logTopic: string): Promise<number> {
  const rows = await rowsByOffset(logTopic)
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: `bare-${topic}` })
  const meter = new Meter()
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: partitions,
    eachBatch: async ({ batch, resolveOffset }) => {
      const found = batch.messages.flatMap(({ offset, value }) => {
        const post = JSON.parse(String(value)) as { readonly id: string }
        const of = rows.get(`${batch.partition}/${offset}`) ?? []
        if (of[0]?.post_id !== post.id) throw new Error(`no rows of ${post.id}`)
        return of
      })
      await store.insert('bare', found)
      resolveOffset(batch.lastOffset())
      const offset = String(Number(batch.lastOffset()) + 1)
      await consumer.commitOffsets([{ topic, partition: batch.partition, offset }])
      meter.stored(batch.messages.length)
    },
  })
  await meter.full()
  await consumer.disconnect()
  return meter.perSecond()
}

async function rowsByOffset(logTopic: string): Promise<ReadonlyMap<string, readonly Row[]>> {
  const all = await store.query<Row>(
    'SELECT * FROM analyses WHERE log_topic = {logTopic:String} ORDER BY partition, offset, ordinal',
    { logTopic },
    { maxExecutionMs: 120_000 },
  )
  const rows = new Map<string, Row[]>()
  for (const row of all) {
    const at = `${row.partition}/${row.offset}`
    const known = rows.get(at)
    if (known === undefined) rows.set(at, [row])
    else known.push(row)
  }
  return rows
}

async function reportDelays(perSecond: number): Promise<void> {
  const log = await openLog('steady')
  const logTopic = `posts@${rounds}`
  const role = await startPipelineRole(pipelineDeps(log, logTopic))
  const arrivals = poissonArrivals(perSecond, steadyMs, seededRandom(1))
  const reading = readDelays(logTopic, arrivals.length)
  await openLoop(arrivals, (index) => log.append(topics.posts, [postRecord('steady', index)]))
  const delays = await reading
  const ms = (share: number): string => percentile(delays, share).toFixed(0)
  say(
    `append to queryable at ${perSecond.toFixed(0)} posts/s for ${steadyMs / 1_000} s (pipeline.flushMs ${config.flushMs}): p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms`,
  )
  await role.stop()
  await log.close()
}

/** From the broker's timestamp until a reader of the store has the post, in ms, of the first `count` posts. */
async function readDelays(logTopic: string, count: number): Promise<number[]> {
  const tail = createTail(store, logTopic, [])
  const delays: number[] = []
  let cursor: Cursor = {}
  while (delays.length < count) {
    const batch = await tail.read<Row & { readonly ordinal: number }>(cursor, 5_000)
    const now = Date.now()
    for (const row of batch.rows)
      if (row.ordinal === 0) delays.push(now - fromStoreTime(row.appended_at))
    cursor = batch.cursor
    if (batch.rows.length === 0) await delay(lookMs)
  }
  return delays
}
