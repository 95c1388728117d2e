/** Dead letters and erasure as a person meets them: the command line, a monitor in a process of its own, and one that is killed. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock as clock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import { topics } from '../infra/log/log.ts'
import { silentLogger as logger } from '../infra/logger.ts'
import type { Letter } from '../pipeline/deadletters/letters.ts'
import type { ErasureView } from '../pipeline/erasure/table.ts'
import {
  caughtUp,
  type MonitorProcess,
  pushPosts,
  runCommand,
  startMonitor,
  stopMonitor,
  withoutEncoder,
} from './monitor-process.fixture.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-dead-letters-'))
const dataDir = join(folder, 'data')
const inFolder = ['--data-dir', dataDir]

const post = (id: string, author: string) => ({
  id,
  source: 'test',
  kind: 'news',
  text: `$FB falls as advertisers leave, says ${author} in ${id}`,
  author,
  publishedAt: '2020-06-26T16:50:00Z',
})

describe('dead letters and erasure, from the command line', () => {
  let monitor: MonitorProcess
  let url: string

  async function start(): Promise<void> {
    monitor = startMonitor(dataDir, [], withoutEncoder)
    url = await monitor.url
  }

  /** What only a producer of another make can write: push would refuse it. */
  async function appendStrangers(values: readonly string[]): Promise<void> {
    const log = createEmbeddedLog({ path: join(dataDir, 'log'), clock, logger })
    const { partitions } = loadConfig({ env: {} }).log
    await log.ensureTopics([{ name: topics.posts, partitions }])
    await log.append(
      topics.posts,
      values.map((value) => ({ key: null, value })),
    )
    await log.close()
  }

  before(async () => {
    await appendStrangers([
      '{"id": "broken", "source": "evil\\u001b[2J\\u202e", "text": "\u001b[31m',
      '{"id": "seven", "source": "evil\\u001b[2J\\u202e"}',
      '{"id": "eight", "source": "noisy"}',
    ])
    await start()
    await caughtUp(url)
  })
  after(async () => {
    await stopMonitor(monitor)
    rmSync(folder, { recursive: true, force: true })
  })

  const run = async (...args: readonly string[]) => {
    const result = await runCommand([...args, ...inFolder])
    assert.equal(result.code, 0, result.stderr)
    return result.stdout
  }

  const textsOf = async (author: string) => {
    const response = await fetch(`${url}/api/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql: `SELECT text FROM posts_v WHERE author = '${author}'` }),
    })
    return ((await response.json()) as { rows: readonly unknown[] }).rows.length
  }

  it('refuses what nobody can do', async () => {
    const unknown = await runCommand(['deadletters', 'show', 'posts@0.0.7', ...inFolder])
    assert.equal(unknown.code, 2)
    assert.match(unknown.stderr, /there is no such letter/)
    const both = await runCommand(['forget', '--post', 'a', '--author', 'b', ...inFolder])
    assert.match(both.stderr, /--post, or an author/)
  })

  it('lists, shows, mends and drops letters, and writes no stranger’s control characters', async () => {
    const list = await run('deadletters', 'list', '--class', 'invalid')
    assert.equal(list.split('\n').length, 5)
    assert.match(list, /evil \[2J/)
    const page = await fetch(`${url}/api/deadletters`)
    const { letters } = (await page.json()) as { letters: Letter[] }
    const broken = letters.find(({ post_id }) => post_id === '')
    const shown = await run('deadletters', 'show', broken?.id ?? '')
    assert.match(shown, /payload:\n {2}\{"id"/)
    for (const printed of [list, shown]) assert.doesNotMatch(printed, /[^\P{C}\n\t]/u)
    const file = join(folder, 'mended.json')
    writeFileSync(file, JSON.stringify(post('mended', 'Mo')))
    const mended = await run('deadletters', 'redrive', broken?.id ?? '', '--post', file)
    assert.match(mended, /\tredriven\t.*\tto posts@0\/\d\/\d+\n/)
    await caughtUp(url)
    assert.equal(await textsOf('Mo'), 1)
    const filter = ['--source', 'noisy', '--note', 'noise']
    assert.equal(
      await run('deadletters', 'drop', ...filter),
      '1 open letters; --yes would drop them.\n',
    )
    assert.equal(
      await run('deadletters', 'drop', ...filter, '--yes'),
      '1 of 1 open letters: dropped.\n',
    )
    const status = (await (await fetch(`${url}/api/status`)).json()) as { deadLetters: number }
    assert.equal(status.deadLetters, 1)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    assert.match(metrics, /tickertone_dead_letters\{class="invalid",state="dropped"\} 1/)
  })

  it('empties an author while the monitor runs', async () => {
    await pushPosts(url, [post('a1', 'Ada'), post('a2', 'Ada'), post('b1', 'Bob')])
    await caughtUp(url)
    assert.match(
      await run('forget', '--author', 'Ada'),
      /^Would empty 4 rows of analyses.*2 records/,
    )
    assert.equal(await textsOf('Ada'), 2)
    assert.match(await run('forget', '--author', 'Ada', '--yes'), /^Emptied 4 rows/)
    assert.deepEqual([await textsOf('Ada'), await textsOf('Bob')], [0, 1])
  })

  it('ends an erasure that a kill -9 cut off', async () => {
    await pushPosts(
      url,
      Array.from({ length: 50 }, (_, i) => post(`c${i}`, 'Cleo')),
    )
    await caughtUp(url)
    const asked = fetch(`${url}/api/erasures`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ author: 'Cleo' }),
    }).catch(() => undefined)
    const erasures = async () => {
      const response = await fetch(`${url}/api/erasures`)
      return ((await response.json()) as { erasures: ErasureView[] }).erasures
    }
    while ((await erasures()).length < 2);
    monitor.child.kill('SIGKILL')
    await Promise.all([asked, monitor.exited])
    await start()
    while ((await erasures()).some(({ state }) => state === 'begun')) await delay(20)
    assert.equal(await textsOf('Cleo'), 0)
  })

  it('empties the folder of a stopped monitor, log and all', async () => {
    await pushPosts(url, [post('d1', 'Dora')])
    await caughtUp(url)
    await stopMonitor(monitor)
    assert.match(await run('forget', '--author', 'Dora', '--yes'), /^Emptied 2 rows.*1 records/)
    await start()
    await pushPosts(url, [post('e1', 'Eve')])
    await caughtUp(url)
    assert.deepEqual([await textsOf('Dora'), await textsOf('Eve')], [0, 1])
  })
})
