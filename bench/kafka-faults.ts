/**
 * Time without progress on a cluster: three brokers, pipelines in processes of their own, ClickHouse's HTTP interface over the embedded
 * engine, and a producer that appends to every partition all the time. For each fault, the longest time that a partition's mark in the
 * store stood, from the fault until all partitions moved again.
 *
 *   npm run -s build && node dist/bench/kafka-faults.js [POSTS_PER_SECOND]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Broker, startCluster } from '../infra/log/broker.fixture.ts'
import type { KafkaLog } from '../infra/log/kafka/kafka-log.ts'
import { topics } from '../infra/log/log.ts'
import { startFrontProcess } from '../infra/store/http-front.fixture.ts'
import { readMarks } from '../infra/store/offsets.ts'
import { openServerStore } from '../infra/store/server.ts'
import type { Store } from '../infra/store/store.ts'
import { type MonitorProcess, startProcess } from '../tests/monitor-process.fixture.ts'
import { openBenchLog, partitions, postRecord } from './kafka-log.ts'

const perSecond = Number(process.argv[2] ?? 40)
const sessionTimeoutMs = 10_000
const flushMs = 500
const lookMs = 50
const appendEveryMs = 250
/** How long each fault is watched at least; in the second half of it every partition must have moved. */
const watchMs = 24_000
const topicPrefix = 'faults.'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

interface Cluster {
  readonly brokers: readonly Broker[]
  readonly store: Store
  readonly log: KafkaLog
  startPipeline(): Promise<MonitorProcess>
}

/** `ends` undoes it, the last first, also when it fails halfway. */
async function startAll(ends: (() => Promise<unknown>)[]): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'tickertone-bench-'))
  ends.push(async () => rmSync(folder, { recursive: true, force: true }))
  const brokers = await startCluster()
  ends.push(() => Promise.all(brokers.map((broker) => broker.stop())))
  const front = await startFrontProcess({ path: join(folder, 'store') })
  ends.push(() => front.stop())
  const store = await openServerStore({ url: front.url })
  ends.push(() => store.close())
  const addresses = brokers.map(({ address }) => address)
  const log = await openBenchLog({
    brokers: addresses,
    topicPrefix,
    replicationFactor: 3,
    sessionTimeoutMs,
    client: 'kafkajs',
  })
  ends.push(() => log.close())
  const env = {
    PIPELINE_EXPERTS: 'linear',
    ALLOCATOR_STRATEGY: 'static',
    KAFKA_BROKERS: addresses.join(','),
    KAFKA_TOPIC_PREFIX: topicPrefix,
    KAFKA_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
    CLICKHOUSE_URL: front.url,
    LOG_PARTITIONS: String(partitions),
    PIPELINE_FLUSH_MS: String(flushMs),
    LOG_LEVEL: 'fatal',
  }
  return {
    brokers,
    store,
    log,
    async startPipeline() {
      const started = startProcess(['run', 'pipeline'], env)
      ends.push(() => end(started, 'SIGKILL'))
      await started.url
      return started
    },
  }
}

async function end(process: MonitorProcess, signal: NodeJS.Signals): Promise<void> {
  process.child.kill(signal)
  await process.exited
}

/** Appends all the time and tells the longest time from one acknowledged append to the next: what is not appended cannot be stored. */
class Appending {
  readonly #log: KafkaLog
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #at = performance.now()
  longestGapMs = 0

  constructor(log: KafkaLog) {
    this.#log = log
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const count = Math.ceil((perSecond * appendEveryMs) / 1_000)
    for (let from = 0; !this.#stopping.signal.aborted; from += count) {
      const records = Array.from({ length: count }, (_, i) => postRecord('faults', from + i))
      await this.#log.append(topics.posts, records).catch(() => undefined) // it shows as a gap
      const now = performance.now()
      this.longestGapMs = Math.max(this.longestGapMs, now - this.#at)
      this.#at = now
      await delay(appendEveryMs)
    }
  }
}

/** The longest standing time of each partition's mark, in ms. */
async function standing(store: Store, fault: () => Promise<unknown>): Promise<number[]> {
  const began = performance.now()
  const marks = new Map<number, { mark: number; movedAt: number; longestMs: number }>()
  const movedLate = new Set<number>()
  let over = false
  const faulting = fault().then(() => {
    over = true
  })
  while (!over || performance.now() - began < watchMs || movedLate.size < partitions) {
    for (const { partition, mark } of await readMarks(store, 'posts@0')) {
      const now = performance.now()
      const known = marks.get(partition) ?? { mark, movedAt: began, longestMs: 0 }
      marks.set(partition, known)
      if (mark === known.mark) continue
      known.longestMs = Math.max(known.longestMs, now - known.movedAt)
      known.mark = mark
      known.movedAt = now
      if (over && now - began > watchMs / 2) movedLate.add(partition)
    }
    await delay(lookMs)
  }
  await faulting
  return [...marks.values()].map(({ longestMs }) => longestMs)
}

async function measure({ brokers, store, log, startPipeline }: Cluster): Promise<void> {
  const appending = new Appending(log)
  const report = async (name: string, fault: () => Promise<unknown>): Promise<void> => {
    appending.longestGapMs = 0
    const longest = await standing(store, fault)
    const [worst, best, appends] = [
      Math.max(...longest),
      Math.min(...longest),
      appending.longestGapMs,
    ].map((ms) => (ms / 1_000).toFixed(1))
    say(
      `${name}: ${worst} s without progress in the worst partition, ${best} s in the best; from one append to the next ${appends} s at most`,
    )
  }
  await startPipeline()
  await report('no fault, one pipeline', async () => undefined)
  let second: MonitorProcess | undefined
  await report('rebalance: a second pipeline joins', async () => {
    second = await startPipeline()
  })
  await report('no fault, two pipelines', async () => undefined)
  await report('rebalance: one of two pipelines leaves (SIGTERM)', async () => {
    if (second !== undefined) await end(second, 'SIGTERM')
  })
  const third = await startPipeline()
  await report('no fault, two pipelines', async () => undefined)
  await report('one of two pipelines killed (SIGKILL)', () => end(third, 'SIGKILL'))
  for (const [index, broker] of brokers.entries()) {
    await report(`broker ${index + 1} of three killed (SIGKILL)`, () => broker.kill())
    await report(`broker ${index + 1} started again`, () => broker.restart())
  }
  await appending.stop()
}

const ends: (() => Promise<unknown>)[] = []
try {
  await measure(await startAll(ends))
} finally {
  for (const undo of ends.toReversed()) await undo()
}
