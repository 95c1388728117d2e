/**
 * The whole process, killed 50 times at random moments while posts are pushed: afterwards every offset has its rows exactly once, in the
 * table and in the projections' answers, and every post that was acknowledged is there.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { packageRoot } from '../infra/package-root.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import { checkContinuity } from '../infra/store/tail.ts'
import { type MonitorProcess, startMonitor, stopMonitor } from './support/monitor-process.ts'

const kills = 50
const postsPerPush = 20
/** From before the store is open to well into consumption. */
const longestLifeMs = 1_600

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
  .map((line) => JSON.stringify({ ...JSON.parse(line), source: 'kill-test' }))

/** Pushes what is left until the process is gone; returns how many posts are acknowledged in all. */
async function pushWhileAlive(monitor: MonitorProcess, acknowledged: number): Promise<number> {
  let next = acknowledged
  try {
    const url = await monitor.url
    while (next < source.length) next += await push(url, source.slice(next, next + postsPerPush))
  } catch {
    // The process died: what it had not acknowledged is pushed again to the next one.
  }
  return next
}

async function push(url: string, lines: readonly string[]): Promise<number> {
  const response = await fetch(`${url}/api/posts`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  })
  const { accepted } = (await response.json()) as { accepted: number }
  assert.equal(accepted, lines.length)
  return accepted
}

test(`${kills} kills leave every offset exactly once`, { timeout: 280_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tickertone-kill-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const random = randomFrom(20_200_626)
  let acknowledged = 0
  for (let kill = 0; kill < kills; kill += 1) {
    const monitor = startMonitor(dataDir)
    const pushing = pushWhileAlive(monitor, acknowledged)
    await delay(random() * longestLifeMs)
    monitor.child.kill('SIGKILL')
    await monitor.exited
    acknowledged = await pushing
  }
  const last = startMonitor(dataDir)
  acknowledged = await pushWhileAlive(last, acknowledged)
  assert.equal(acknowledged, source.length)
  await caughtUp(await last.url)
  assert.equal(await stopMonitor(last), 0, last.stderr())

  const log = createEmbeddedLog({
    path: join(dataDir, 'log'),
    clock: Date.now,
    logger: silentLogger,
  })
  const ends = await log.endOffsets(topics.posts)
  await log.close()
  const store = await openEmbeddedStore({ path: join(dataDir, 'store') })
  t.after(() => store.close())
  await assertExactlyOnce(store, ends)
})

async function assertExactlyOnce(store: Store, ends: readonly number[]): Promise<void> {
  const expected = ends.map((end, partition) => ({
    partition,
    rows: end,
    offsets: end,
    last: end - 1,
  }))
  const inTable = await store.query(
    `SELECT partition, count() AS rows, uniqExact(offset) AS offsets, max(offset) AS last FROM analyses
     WHERE ordinal = 0 GROUP BY partition ORDER BY partition SETTINGS optimize_use_projections = 0`,
  )
  assert.deepEqual(inTable, expected)
  const [answers] = await store.query<Record<string, unknown>>(
    `SELECT
       (SELECT count() FROM (SELECT offset FROM analyses GROUP BY partition, offset HAVING count() != max(ordinal) + 1)) AS broken_offsets,
       (SELECT uniqExact(post_id) FROM analyses WHERE outcome = 'scored' AND ordinal = 0) AS posts`,
  )
  assert.deepEqual(answers, { broken_offsets: 0, posts: source.length })
  for (const sql of projectedQuestions) {
    const projected = await store.query(`${sql} SETTINGS force_optimize_projection = 1`)
    const plain = await store.query(`${sql} SETTINGS optimize_use_projections = 0`)
    assert.deepEqual(projected, plain, sql)
    assert.notEqual(projected.length, 0, sql)
  }
  assert.deepEqual(await checkContinuity(store, 'posts@0'), [])
}
