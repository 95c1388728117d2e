/**
 * Time without progress on a cluster: three brokers, two pipelines in processes of their own, ClickHouse's HTTP interface over the embedded
 * engine, and a producer that appends to every partition all the time. For each fault, the longest time that a partition's mark in the
 * store stood, from the fault until all partitions moved again for a while.
 *
 *   npm run -s build && node dist/bench/kafka-faults.js [POSTS_PER_SECOND]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startCluster } from '../infra/log/broker.fixture.ts'
import { topics } from '../infra/log/log.ts'
import { startFrontProcess } from '../infra/store/http-front.fixture.ts'
import { readMarks } from '../infra/store/offsets.ts'
import { openServerStore } from '../infra/store/server.ts'
import { type MonitorProcess, startProcess } from '../tests/monitor-process.fixture.ts'
import { openBenchLog, partitions, postRecord } from './kafka-log.ts'

const perSecond = Number(process.argv[2] ?? 40)
const sessionTimeoutMs = 10_000
const flushMs = 500
const lookMs = 50
/** How long each fault is watched at least, and all partitions must have moved at its end. */
const watchMs = 25_000
const topicPrefix = 'faults.'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const folder = mkdtempSync(join(tmpdir(), 'tickertone-bench-'))
const [brokers, front] = await Promise.all([
  startCluster(),
  startFrontProcess({ path: join(folder, 'store') }),
])
const addresses = brokers.map(({ address }) => address)
const store = await openServerStore({ url: front.url })
const log = await openBenchLog({
  brokers: addresses,
  topicPrefix,
  replicationFactor: 3,
  sessionTimeoutMs,
})
const pipelines: MonitorProcess[] = []
const appending = new AbortController()

async function startPipeline(): Promise<MonitorProcess> {
  const started = startProcess(['run', 'pipeline'], {
    PIPELINE_EXPERTS: 'linear',
    ALLOCATOR_STRATEGY: 'static',
    KAFKA_BROKERS: addresses.join(','),
    KAFKA_TOPIC_PREFIX: topicPrefix,
    KAFKA_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
    KAFKA_REPLICATION_FACTOR: '3',
    CLICKHOUSE_URL: front.url,
    LOG_PARTITIONS: String(partitions),
    PIPELINE_FLUSH_MS: String(flushMs),
    LOG_LEVEL: 'error',
  })
  pipelines.push(started)
  await started.url
  return started
}

/** The longest time between two acknowledged appends is told too: no post can be stored before it is appended. */
let appendedAt = performance.now()
let appendGapMs = 0
async function append(): Promise<void> {
  const intervalMs = 250
  for (let index = 0; !appending.signal.aborted; ) {
    const count = Math.ceil((perSecond * intervalMs) / 1_000)
    const records = Array.from({ length: count }, () => postRecord('faults', index++))
    await log.append(topics.posts, records).catch(() => undefined) // told as a gap
    const now = performance.now()
    appendGapMs = Math.max(appendGapMs, now - appendedAt)
    appendedAt = now
    await delay(intervalMs)
  }
}

/** Longest standing time of each partition's mark, in ms, while `fault` and for a while after it. */
async function standing(fault: () => Promise<unknown>): Promise<number[]> {
  const marks = new Map<number, { mark: number; movedAt: number; longestMs: number }>()
  const began = performance.now()
  let over = false
  const faulting = fault().then(() => {
    over = true
  })
  const moved = new Set<number>()
  while (!over || performance.now() - began < watchMs || moved.size < partitions) {
    for (const { partition, mark } of await readMarks(store, 'posts@0')) {
      const now = performance.now()
      const known = marks.get(partition) ?? { mark, movedAt: began, longestMs: 0 }
      const stoodMs = now - known.movedAt
      if (mark > known.mark) {
        known.longestMs = Math.max(known.longestMs, stoodMs)
        known.mark = mark
        known.movedAt = now
        if (now - began > watchMs / 2) moved.add(partition)
      }
      marks.set(partition, known)
    }
    await delay(lookMs)
  }
  await faulting
  return [...marks.values()].map(({ longestMs }) => longestMs)
}

async function report(name: string, fault: () => Promise<unknown>): Promise<void> {
  appendGapMs = 0
  const longest = await standing(fault)
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1)
  say(
    `${name}: ${seconds(Math.max(...longest))} s without progress in the worst of ${partitions} partitions, ${seconds(Math.min(...longest))} s in the best; appends waited ${seconds(appendGapMs)} s at most`,
  )
}

try {
  await startPipeline()
  const appended = append()
  await report('no fault, one pipeline', async () => undefined)
  await report('rebalance: a second pipeline joins', () => startPipeline())
  await report('rebalance: it leaves (SIGTERM)', async () => {
    const leaving = pipelines.pop()
    leaving?.child.kill('SIGTERM')
    await leaving?.exited
  })
  await startPipeline()
  await report('no fault, two pipelines', async () => undefined)
  await report('one of two pipelines killed (SIGKILL)', async () => {
    const killed = pipelines.pop()
    killed?.child.kill('SIGKILL')
    await killed?.exited
  })
  for (const [index, broker] of brokers.entries()) {
    await report(`broker ${index + 1} of three killed (SIGKILL)`, () => broker.kill())
    await report(`broker ${index + 1} started again`, () => broker.restart())
  }
  appending.abort()
  await appended
} finally {
  for (const { child } of pipelines) child.kill('SIGKILL')
  await Promise.all(pipelines.map(({ exited }) => exited))
  await log.close()
  await store.close()
  await front.stop()
  await Promise.all(brokers.map((broker) => broker.stop()))
  rmSync(folder, { recursive: true, force: true })
}
