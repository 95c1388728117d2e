/**
 * The allocator of a whole monitor, as a labeller and an operator meet it: labels move the weights of what is scored afterwards, streams are switched
 * while it runs, every row repeats its own arithmetic, and after kill -9 the weights, the streams, the posts and the labels are what they were.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Explanation } from '../pipeline/allocator/explain.ts'
import type { Allocation } from '../pipeline/routes/allocation.ts'
import type { LabelResult } from '../pipeline/routes/feedback.ts'
import {
  caughtUp,
  type MonitorProcess,
  pushPosts,
  runCommand,
  startMonitor,
  stopMonitor,
  withoutEncoder,
} from './monitor-process.fixture.ts'

/** Every expert reads every post, so that each row tells the weights of all. */
const settings = { ...withoutEncoder, PIPELINE_FLUSH_MS: '50', ALLOCATOR_EXPLORE_SHARE: '1' }

/** Linear finds these texts negative, the lexicon neutral. */
const post = (id: string, source = 'wire') => ({
  id,
  source,
  kind: 'news',
  text: `$BA falls as deliveries slip again, notice ${id}`,
  publishedAt: '2026-03-02T12:00:00Z',
})
const named = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T
const send = async (method: string, url: string, body: object): Promise<Response> =>
  fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

async function label(url: string, ids: readonly string[]): Promise<LabelResult> {
  const labels = ids.map((id) => ({
    post_id: id,
    task: 'sentiment',
    label: 'negative',
    labeller: 'ann',
  }))
  const response = await send('POST', `${url}/api/feedback`, labels)
  assert.equal(response.status, 202)
  return (await response.json()) as LabelResult
}

/** Resolves when each of them has its row. */
async function score(url: string, posts: readonly { readonly id: string }[]): Promise<void> {
  assert.equal((await pushPosts(url, posts)).status, 202)
  for (const { id } of posts)
    while ((await fetch(`${url}/api/explain/${id}`)).status === 404) await delay(20)
}

/** As it is once the weights hold the label at this offset. */
async function allocationAt(url: string, version: number): Promise<Allocation> {
  for (;;) {
    const allocation = await get<Allocation>(`${url}/api/allocation`)
    if (allocation.weights.version >= version) return allocation
    await delay(20)
  }
}

async function explained(url: string, id: string): Promise<Explanation> {
  const explanation = await get<Explanation>(`${url}/api/explain/${id}`)
  assert.equal(explanation.equal, true, id)
  return explanation
}

const linearShare = ({ tasks }: Explanation) =>
  tasks.find(({ task }) => task === 'sentiment')?.experts.find(({ name }) => name === 'linear')
    ?.share ?? Number.NaN

async function sql(url: string, query: string): Promise<unknown[]> {
  const response = await send('POST', `${url}/api/sql`, { sql: query })
  assert.equal(response.status, 200, await response.clone().text())
  return ((await response.json()) as { rows: unknown[] }).rows
}

/** In one folder, which goes when the last of them has ended. */
function monitorsOf(t: TestContext): { readonly dataDir: string; start(): MonitorProcess } {
  const dataDir = mkdtempSync(join(tmpdir(), 'tickertone-allocation-'))
  const started: MonitorProcess[] = []
  t.after(async () => {
    for (const { child } of started) child.kill('SIGKILL')
    await Promise.all(started.map(({ exited }) => exited))
    rmSync(dataDir, { recursive: true, force: true })
  })
  const start = () => {
    const monitor = startMonitor(dataDir, [], settings)
    started.push(monitor)
    return monitor
  }
  return { dataDir, start }
}

test('labels, streams and weights of a monitor outlive kill -9', { timeout: 60_000 }, async (t) => {
  const { dataDir, start } = monitorsOf(t)
  const first = start()
  const url = await first.url

  const early = named('early', 12)
  await score(
    url,
    early.map((id) => post(id)),
  )
  const before = await explained(url, 'early0')
  assert.deepEqual([before.strategy, before.weightsVersion], ['dynamic', -1])

  const given = await label(url, early)
  assert.deepEqual(
    given.rows.map(({ offset }) => offset),
    [...early.keys()],
  )
  const learned = await allocationAt(url, 11)
  await score(
    url,
    named('late', 5).map((id) => post(id)),
  )
  const after = await explained(url, 'late0')
  assert.equal(after.weightsVersion, 11)
  assert.ok(linearShare(after) > linearShare(before) + 0.01, `${linearShare(after)}`)
  const command = await runCommand(['explain', 'late0', '--data-dir', dataDir])
  assert.match(command.stdout, /Every stored number equals what the row repeats, bit for bit\.\n$/)

  const streams = ['source=desk:static/vote']
  assert.equal((await send('PUT', `${url}/api/allocation`, { streams })).status, 200)
  await score(url, [post('desk0', 'desk'), post('wire0')])
  const [desk, wire] = [await explained(url, 'desk0'), await explained(url, 'wire0')]
  assert.deepEqual(
    [desk.strategy, desk.tasks[0]?.fusion, wire.strategy],
    ['static', 'vote', 'dynamic'],
  )

  await pushPosts(
    url,
    named('last', 20).map((id) => post(id)),
  )
  first.child.kill('SIGKILL')
  await first.exited

  const second = start()
  const again = await second.url
  await caughtUp(again)
  const back = await allocationAt(again, 11)
  assert.deepEqual(back.weights, learned.weights)
  assert.deepEqual([back.streams, back.controlOffset], [streams, 0])
  assert.deepEqual(await explained(again, 'late0'), after)
  await score(again, [post('desk1', 'desk'), post('wire1')])
  assert.equal((await explained(again, 'desk1')).strategy, 'static')
  const same = await explained(again, 'wire1')
  assert.deepEqual([same.weightsVersion, linearShare(same)], [11, linearShare(after)])

  const repeated = await label(again, early)
  assert.deepEqual(
    repeated.rows.map(({ offset }) => offset),
    [...early.keys()],
  )
  assert.ok(repeated.rows.every((row) => row.repeated))
  while ((await sql(again, 'SELECT offset FROM labels_v')).length < early.length) await delay(20)
  assert.deepEqual(
    await sql(again, 'SELECT offset, post_id, label FROM labels_v ORDER BY offset'),
    early.map((id, offset) => [offset, id, 'negative']),
  )
  assert.deepEqual(
    await sql(again, 'SELECT count(), uniqExact(post_id) FROM analyses WHERE ordinal = 0'),
    [[41, 41]],
  )
  assert.equal(await stopMonitor(second), 0, second.stderr())
})
