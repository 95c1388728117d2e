/** Labels by the command line, through a monitor in a process of its own. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  caughtUp,
  type MonitorProcess,
  pushPosts,
  runCommand,
  startMonitor,
  stopMonitor,
  withoutEncoder,
} from '../tests/monitor-process.fixture.ts'

describe('labels by the command line', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tickertone-label-commands-'))
  let monitor: MonitorProcess

  before(async () => {
    const everything = { ALLOCATOR_LABEL_SHARE: '1', ALLOCATOR_LABEL_UNIFORM_SHARE: '1' }
    monitor = startMonitor(dataDir, [], { ...withoutEncoder, ...everything })
    const url = await monitor.url
    const post = (id: string) => ({
      id,
      source: 'desk',
      kind: 'news',
      text: `Shares of \u001b[31m${id} fall after a warning`,
      publishedAt: '2020-06-26T16:50:00Z',
    })
    await pushPosts(url, ['one', 'two', 'three'].map(post))
    await caughtUp(url)
  })
  after(async () => {
    assert.equal(await stopMonitor(monitor), 0)
    rmSync(dataDir, { recursive: true, force: true })
  })

  async function labelsInTable(): Promise<number> {
    const response = await fetch(`${await monitor.url}/api/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql: 'SELECT count() FROM labels_v' }),
    })
    return Number(((await response.json()) as { rows: unknown[][] }).rows[0]?.[0])
  }

  const run = (...args: string[]) => runCommand([...args, '--data-dir', dataDir])

  it('takes a file, names what it refuses, and takes it again without harm', async () => {
    const file = join(dataDir, 'labels.ndjson')
    const row = (post_id: string, fields: object = {}) =>
      JSON.stringify({ post_id, task: 'sentiment', label: 'negative', ...fields })
    const rows = [row('one'), row('nobody'), '{"post_id"', '', row('two', { labeller: 'bo' })]
    writeFileSync(file, rows.join('\n'))
    const first = await run('feedback', '--file', file, '--labeller', 'ann')
    assert.deepEqual([first.code, first.stdout], [1, '2 accepted, 2 refused, 0 to send again\n'])
    assert.match(
      first.stderr,
      /labels\.ndjson:2: there is no such post\n.*labels\.ndjson:3: not valid JSON/,
    )
    const second = await run('feedback', '--file', file, '--labeller', 'ann', '--json')
    assert.deepEqual(
      [JSON.parse(second.stdout).accepted, JSON.parse(second.stdout).repeated],
      [2, 2],
    )
  })

  it('shows the queue without colours or answers, and takes what it showed', async () => {
    const shown = await run('labels', 'next', '--labeller', 'ann')
    assert.match(shown.stdout, /three {2}version 1 {2}desk {2}.*fall after a warning\n/)
    assert.doesNotMatch(shown.stdout.replaceAll('\n', ''), /\p{Cc}|uniform|0\.\d/u)
    const answered = await run('labels', 'answer', 'three', '--label', 'negative')
    assert.deepEqual([answered.code, answered.stdout], [0, 'Recorded.\n'])
  })

  it('shows a post that somebody skipped to the others alone', async () => {
    const skipped = await run('labels', 'skip', 'three', '--labeller', 'bob')
    assert.deepEqual([skipped.code, skipped.stdout], [0, 'Skipped.\n'])
    const seenBy = async (name: string) =>
      /^three /m.test((await run('labels', 'next', '--labeller', name)).stdout)
    assert.deepEqual([await seenBy('bob'), await seenBy('cy')], [false, true])
  })

  it('prints figures, and SQL reads the labels', async () => {
    while ((await labelsInTable()) < 3);
    const { stdout } = await run('labels', 'stats')
    assert.match(stdout, /^sentiment\tchosen\tann\t1\t1$/m)
    assert.match(stdout, /^sentiment\tall\tuniform\tfused\t1\t[01]\.000\t0\.\d+ to [01]\.\d+$/m)
  })

  it('refuses what says too little or too much', async () => {
    const cases = [
      ['feedback', 'one', '--task', 'sentiment'],
      ['feedback', 'one', '--file', 'labels.ndjson'],
    ]
    const codes = await Promise.all(cases.map(async (args) => (await run(...args)).code))
    assert.deepEqual(
      codes,
      cases.map(() => 2),
    )
  })
})
