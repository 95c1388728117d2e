/** The encoder in a monitor as a user runs it: what its workers leave in the store, and what is left of them, however they or the monitor end. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { packageRoot } from '../../infra/package-root.ts'
import { minilmFolder } from '../../pipeline/experts/registry.ts'
import {
  caughtUp,
  type MonitorProcess,
  pushPosts,
  runCommand,
  startMonitor,
  stopMonitor,
} from '../monitor-process.fixture.ts'

const folders = mkdtempSync(join(tmpdir(), 'tickertone-workers-'))
const dataDir = join(folders, 'data')
after(() => rmSync(folders, { recursive: true, force: true }))

/** However busy the machine is, no post is judged without the encoder. */
/** The encoder reads every post, however long it takes. */
const patient = {
  ALLOCATOR_STRATEGY: 'static',
  WORKERS_WITHIN_MS: '3600000',
  WORKERS_COUNT: '1',
}

const tweets = readFileSync(join(packageRoot, 'data', 'market-tweets-2020.ndjson'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line): object => ({ ...JSON.parse(line), source: 'workers-test' }))

interface Process {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

/** Of this machine, from /proc; without those that have ended and are not yet collected. */
function processes(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid)) return []
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return state === 'Z' ? [] : [{ pid, parent: Number(parent), command }]
    } catch {
      return [] // It has just ended.
    }
  })
}

const workersOf = ({ child }: MonitorProcess): number[] =>
  processes()
    .filter(({ parent, command }) => parent === child.pid && command.includes('worker.js'))
    .map(({ pid }) => pid)

async function ended(pids: readonly number[]): Promise<void> {
  while (processes().some(({ pid }) => pids.includes(pid))) await delay(10)
}

/** Every post once, with the encoder's word on it. */
async function assertAllJudged(url: string, posts: number): Promise<void> {
  const response = await fetch(`${url}/api/sql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      sql: `SELECT count(), uniqExact(post_id), countIf(outcome = 'scored'), countIf(degraded),
          countIf(arrayExists((name, task, p) -> name = 'minilm' AND task = 'sentiment' AND length(p) = 3 AND abs(arraySum(p) - 1) < 0.001,
            experts.name, experts.task, experts.probabilities))
        FROM analyses WHERE ordinal = 0`,
    }),
  })
  const { rows } = (await response.json()) as { rows: unknown[][] }
  assert.deepEqual(rows, [[posts, posts, posts, 0, posts]])
}

async function metric(url: string, name: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  const value = new RegExp(`^tickertone_workers_${name}\\{expert="minilm"\\} (\\d+)$`, 'm').exec(
    metrics,
  )?.[1]
  assert.ok(value !== undefined, metrics)
  return Number(value)
}

async function push(url: string, from: number, to: number): Promise<void> {
  const response = await pushPosts(url, tweets.slice(from, to))
  assert.equal(response.status, 202)
}

describe('worker processes', {
  skip: process.platform !== 'linux' && 'reads /proc',
  timeout: 280_000,
}, () => {
  let monitor: MonitorProcess

  it('read every post once, also when one is killed while it reads', async (t) => {
    monitor = startMonitor(dataDir, [], patient)
    t.after(() => monitor.child.kill('SIGKILL'))
    const url = await monitor.url
    const [worker] = workersOf(monitor)
    assert.ok(worker !== undefined)
    // Stopped, so that it has both its jobs in hand for certain, and more wait, when it dies.
    process.kill(worker, 'SIGSTOP')
    await push(url, 0, 240)
    while ((await metric(url, 'queue_texts')) === 0) await delay(10)
    process.kill(worker, 'SIGKILL')
    await caughtUp(url)
    await assertAllJudged(url, 240)
    assert.equal(await metric(url, 'deaths_total'), 1)
    assert.equal(await metric(url, 'restarts_total'), 1)
    assert.equal(await metric(url, 'texts_total'), 240)

    // What Ctrl-C does: the terminal signals every process of the group.
    await push(url, 240, 260)
    const workers = workersOf(monitor)
    for (const pid of workers) process.kill(pid, 'SIGINT')
    monitor.child.kill('SIGINT')
    assert.equal((await monitor.exited).code, 0, monitor.stderr())
    await ended(workers)
  })

  it('end when the monitor is killed, and go on where it was', async (t) => {
    monitor = startMonitor(dataDir, [], patient)
    t.after(() => monitor.child.kill('SIGKILL'))
    await push(await monitor.url, 260, 280)
    const workers = workersOf(monitor)
    assert.equal(workers.length, 1)
    monitor.child.kill('SIGKILL')
    await monitor.exited
    await ended(workers)
  })

  it('catch up with what was in the log', async (t) => {
    monitor = startMonitor(dataDir, [], patient)
    t.after(() => monitor.child.kill('SIGKILL'))
    const url = await monitor.url
    await caughtUp(url)
    await assertAllJudged(url, 280)
    assert.equal(await stopMonitor(monitor), 0, monitor.stderr())
  })

  it('are refused a damaged model at start: one sentence, and no process is left', async () => {
    const folder = mkdtempSync(join(folders, 'model-'))
    for (const file of readdirSync(minilmFolder))
      copyFileSync(join(minilmFolder, file), join(folder, file))
    truncateSync(join(folder, 'model.onnx'), 1_000)
    const args = ['start', '--port', '0', '--data-dir', join(folders, 'never')]
    const { code, stderr } = await runCommand(args, {
      LOG_LEVEL: 'silent',
      WORKERS_MODEL_FOLDER: folder,
    })
    assert.equal(code, 1)
    assert.match(stderr, /^tickertone: The model file \S+model\.onnx is not the one .*\(MODEL\)\n$/)
    assert.deepEqual(
      processes().filter(({ command }) => command.includes(folder)),
      [],
    )
  })
})
