/**
 * The whole process, killed 50 times at random moments while posts are pushed: afterwards every offset has its rows exactly once, in the
 * table and in every projection's answer, and every post that was acknowledged is there. Workers are killed in workers.test.ts.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import { deferred } from '../../infra/log/log.fixture.ts'
import { topics } from '../../infra/log/log.ts'
import { silentLogger as logger } from '../../infra/logger.ts'
import { packageRoot } from '../../infra/package-root.ts'
import { checkContinuity } from '../../infra/store/continuity.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Store } from '../../infra/store/store.ts'
import {
  caughtUp,
  type MonitorProcess,
  pushPosts,
  startMonitor,
  stopMonitor,
  withoutEncoder,
} from '../monitor-process.fixture.ts'

const kills = 50
const postsPerPush = 20
/** Spreads the posts over all lives. */
const pushEveryMs = 100
/** One kill in four comes this long after the start at most, the others after the first push that is acknowledged. */
const longestDelayMs = 600

/** The moments are random but the same in every run: a failure can be looked at again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const source = readFileSync(join(packageRoot, 'data', 'market-tweets-2020.ndjson'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line): object => ({ ...JSON.parse(line), source: 'kill-test' }))

/** Pushes what is left until the process is gone; returns how many posts are acknowledged in all. */
async function pushWhileAlive(
  monitor: MonitorProcess,
  acknowledged: number,
  onAcknowledged = () => {},
): Promise<number> {
  let next = acknowledged
  try {
    const url = await monitor.url
    while (next < source.length) {
      next += await push(url, source.slice(next, next + postsPerPush))
      onAcknowledged()
      await delay(pushEveryMs)
    }
  } catch (error) {
    // The process died: what it had not acknowledged is pushed again to the next one.
    if (!monitor.child.killed) throw error
  }
  return next
}

async function push(url: string, posts: readonly object[]): Promise<number> {
  const { accepted } = (await (await pushPosts(url, posts)).json()) as { accepted: number }
  return accepted === posts.length ? accepted : 0
}

test(`${kills} kills leave every offset exactly once`, { timeout: 560_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tickertone-kill-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const random = randomFrom(20_200_626)
  let acknowledged = 0
  for (let kill = 0; kill < kills; kill += 1) {
    const monitor = startMonitor(dataDir, [], withoutEncoder)
    const firstPush = deferred()
    const pushing = pushWhileAlive(monitor, acknowledged, firstPush.resolve)
    if (kill % 4 !== 0) await Promise.race([firstPush.promise, pushing])
    await delay(random() * longestDelayMs)
    monitor.child.kill('SIGKILL')
    await monitor.exited
    acknowledged = await pushing
  }
  assert.ok(acknowledged < source.length, 'the last processes had nothing to do')
  const last = startMonitor(dataDir, [], withoutEncoder)
  acknowledged = await pushWhileAlive(last, acknowledged)
  assert.equal(acknowledged, source.length)
  await caughtUp(await last.url)
  assert.equal(await stopMonitor(last), 0, last.stderr())
  await assertExactlyOnce(dataDir)
})

async function assertExactlyOnce(dataDir: string): Promise<void> {
  const log = createEmbeddedLog({ path: join(dataDir, 'log'), clock: Date.now, logger })
  const ends = await log.endOffsets(topics.posts)
  await log.close()
  const store = await openEmbeddedStore({ path: join(dataDir, 'store') })
  try {
    assert.deepEqual(await checkContinuity(store, 'posts@0'), [])
    const posts = ends.reduce((sum, end) => sum + end, 0)
    assert.deepEqual(await countRows(store), {
      offsets: posts,
      posts,
      broken: 0,
      ids: source.length,
      twice: 0,
    })
    await assertProjectionsAgree(store, ends)
  } finally {
    await store.close()
  }
}

/** Counted over the table itself: grouping by offset matches no projection. */
async function countRows(store: Store): Promise<Record<string, number> | undefined> {
  const [counts] = await store.query<Record<string, number>>(
    `SELECT count() AS offsets, sum(posts) AS posts, countIf(ordinals != last + 1 OR rows != ordinals) AS broken,
       uniqExactIf(id, outcome IN ('scored', 'unsupported')) AS ids,
       countIf(outcome IN ('scored', 'unsupported')) - ids AS twice
     FROM (
       SELECT partition, offset, countIf(ordinal = 0) AS posts, count() AS rows, uniqExact(ordinal) AS ordinals,
         max(ordinal) AS last, any(post_id) AS id, any(outcome) AS outcome
       FROM analyses GROUP BY partition, offset
     )`,
  )
  return counts
}

/** What each projection answers, forced to, is what the table itself holds. */
async function assertProjectionsAgree(store: Store, ends: readonly number[]): Promise<void> {
  const questions = [
    "SELECT partition, max(offset) AS n FROM analyses WHERE log_topic = 'posts@0' GROUP BY log_topic, partition",
    "SELECT count() AS n FROM analyses WHERE instrument = 'cik:1326801' AND published_at > toDateTime('2020-01-01')",
    "SELECT instrument, sum(score) > 0 AS up, count() AS n FROM analyses WHERE outcome = 'scored' AND (ordinal = 0) = 0 GROUP BY instrument, toStartOfMinute(published_at), outcome, ordinal = 0, history, kind",
  ]
  for (const question of questions) {
    const answer = (settings: string) =>
      store.query(`SELECT * FROM (${question} SETTINGS ${settings}) ORDER BY ALL`)
    const projected = await answer('force_optimize_projection = 1')
    assert.ok(projected.length > 0, question)
    assert.deepEqual(projected, await answer('optimize_use_projections = 0'), question)
  }
  for (const [partition, end] of ends.entries()) {
    assert.equal(await store.mark({ logTopic: 'posts@0', partition }), end - 1)
  }
}
