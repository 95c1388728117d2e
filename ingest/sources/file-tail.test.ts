import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { FileTailSource } from '../../infra/config-sources.ts'
import { AppError } from '../../infra/errors.ts'
import { maxPostBytes } from '../contract.ts'
import { realSleep } from '../replay.ts'
import { VirtualTime } from '../virtual-time.fixture.ts'
import { createFileTail } from './file-tail.ts'
import { Run } from './web.fixture.ts'

let folder: string
let path: string
let time: VirtualTime

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickertone-tail-'))
  path = join(folder, 'posts.ndjson')
  time = new VirtualTime(Date.parse('2024-03-05T10:00:00Z'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const line = (id: string, minutesAgo = 1) =>
  `${JSON.stringify({ id, kind: 'comment', text: `Text ${id}`, publishedAt: new Date(time.now - minutesAgo * 60_000).toISOString() })}\n`

/** Runs the source until it is told to stop, and waits for conditions at its readings. */
class Tail extends Run {
  readonly running: Promise<void>
  #wake: () => void = () => {}

  constructor(more: Partial<FileTailSource> = {}, state: Run['state'] = {}) {
    super(time)
    this.state = state
    const config: FileTailSource = {
      type: 'file-tail',
      name: 'lines',
      owner: 'ops',
      kind: 'news',
      undated: 'history',
      datesWithoutZone: 'unknown',
      freshMinutes: 10,
      path,
      from: 'beginning',
      ...more,
    }
    const source = createFileTail(config, { clock: time.clock, sleep: realSleep, pollMs: 2 })
    this.running = source.run(this)
  }

  override readonly save = async (state: Run['state']) => {
    this.state = JSON.parse(JSON.stringify(state))
    this.#wake()
  }

  /** Ids of the posts, as soon as there are `count` posts and letters since the last call. */
  async next(count: number): Promise<string[]> {
    while (this.log.records.length < this.#seen + count || this.#isUnsaved())
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    this.#seen += count
    return this.posts().map(({ id }) => id)
  }

  #seen = 0
  #isUnsaved = () => this.state.file === undefined

  async stop(): Promise<Run['state']> {
    this.stopping.abort()
    await this.running
    return this.state
  }
}

describe('createFileTail', () => {
  it('brings lines as they are finished, and goes on after a restart', async () => {
    writeFileSync(path, line('a') + line('b'))
    const tail = new Tail()
    assert.deepEqual(await tail.next(2), ['a', 'b'])
    const c = line('c')
    appendFileSync(path, c.slice(0, 20))
    appendFileSync(path, c.slice(20) + line('d').slice(0, 10))
    assert.deepEqual(await tail.next(1), ['c'])
    const state = await tail.stop()
    appendFileSync(path, line('d').slice(10) + line('e'))
    const restarted = new Tail({}, state)
    assert.deepEqual(await restarted.next(2), ['d', 'e'])
    await restarted.stop()
  })

  it('reads a file that was renamed to its end, then the new one', async () => {
    writeFileSync(path, line('a'))
    const tail = new Tail()
    await tail.next(1)
    renameSync(path, `${path}.1`)
    appendFileSync(`${path}.1`, line('b') + line('c').trimEnd())
    writeFileSync(path, line('d'))
    assert.deepEqual(await tail.next(3), ['b', 'c', 'd'])
    assert.deepEqual(tail.oddities, [])
    await tail.stop()
  })

  it('finds the file it was in when the rotation came while nobody read', async () => {
    writeFileSync(path, line('a'))
    const tail = new Tail()
    await tail.next(1)
    const state = await tail.stop()
    appendFileSync(path, line('b'))
    renameSync(path, `${path}.1`)
    writeFileSync(path, line('c'))
    const restarted = new Tail({}, state)
    assert.deepEqual(await restarted.next(2), ['b', 'c'])
    await restarted.stop()
  })

  it('takes old lines of the file that a rotation made while nobody read for history', async () => {
    writeFileSync(path, line('a'))
    const tail = new Tail()
    await tail.next(1)
    const state = await tail.stop()
    renameSync(path, `${path}.1`)
    writeFileSync(path, line('old', 60) + line('fresh', 5))
    const restarted = new Tail({}, state)
    while (restarted.log.records.length < 2) await realSleep(1)
    assert.deepEqual(
      restarted.posts().map(({ id, history }) => [id, history]),
      [
        ['old', true],
        ['fresh', undefined],
      ],
    )
    await restarted.stop()
  })

  it('says so when that file is gone, and reads the new one', async () => {
    writeFileSync(path, line('a'))
    const tail = new Tail()
    await tail.next(1)
    const state = await tail.stop()
    rmSync(path)
    writeFileSync(path, line('z') + line('c'))
    const restarted = new Tail({}, state)
    assert.deepEqual(await restarted.next(2), ['z', 'c'])
    assert.match(restarted.oddities[0] ?? '', /may be missing/)
    await restarted.stop()
  })

  it('begins anew when the file was copied and emptied, also when it has grown beyond its old end', async () => {
    writeFileSync(path, line('a') + line('b'))
    const tail = new Tail()
    await tail.next(2)
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
    appendFileSync(path, line('c'))
    assert.deepEqual(await tail.next(1), ['c'])
    writeFileSync(path, line('d') + line('e') + line('f'))
    assert.deepEqual(await tail.next(3), ['d', 'e', 'f'])
    await tail.stop()
  })

  it('buries broken and overlong lines, in bounded memory, and reads on', async () => {
    writeFileSync(path, `{"id":\n\n${'x'.repeat(3 * maxPostBytes)}\n[]\n${line('a')}`)
    const tail = new Tail()
    assert.deepEqual(await tail.next(4), ['a'])
    const letters = tail.letters()
    assert.deepEqual(
      letters.map(({ reason }) => reason.slice(0, 12)),
      ['not valid JS', 'larger than ', 'a post must '],
    )
    assert.equal(new Set(letters.map(({ origin }) => origin)).size, 3)
    await tail.stop()
  })

  it('takes old lines that stood there before it came for history', async () => {
    writeFileSync(path, line('old', 60) + line('fresh', 5))
    const tail = new Tail()
    while (tail.log.records.length < 2) await realSleep(1)
    appendFileSync(path, line('late', 60))
    while (tail.log.records.length < 3) await realSleep(1)
    assert.deepEqual(
      tail.posts().map(({ id, history }) => [id, history]),
      [
        ['old', true],
        ['fresh', undefined],
        ['late', undefined],
      ],
    )
    await tail.stop()
  })

  it('maps lines of another shape, with an id of their own content', async () => {
    writeFileSync(path, '{"message":"Hello","ts":"2024-03-05T09:59:00Z"}\n')
    const tail = new Tail({ mapping: { text: '/message', publishedAt: '/ts' }, source: 'Chat' })
    const [id] = await tail.next(1)
    assert.match(id ?? '', /^lines:[\w-]{32}$/)
    await tail.stop()
  })

  it('repeats lines that were not in the log, and none that were', async () => {
    writeFileSync(path, line('a'))
    const tail = new Tail()
    await tail.next(1)
    tail.log.before = () => {
      throw new AppError('LOG', 'gone')
    }
    appendFileSync(path, line('b'))
    await assert.rejects(tail.running, { code: 'LOG' })
    const restarted = new Tail({}, tail.state)
    assert.deepEqual(await restarted.next(1), ['b'])
    await restarted.stop()
  })

  it('begins at the end where it is told to', async () => {
    writeFileSync(path, line('a'))
    const tail = new Tail({ from: 'end' })
    while (tail.readings.length === 0) await realSleep(1)
    appendFileSync(path, line('b'))
    assert.deepEqual(await tail.next(1), ['b'])
    await tail.stop()
  })

  for (const { name, prepare } of [
    { name: 'a file that is not there', prepare: () => undefined },
    { name: 'a folder', prepare: () => (path = folder) },
    { name: 'a pipe that nobody writes to', prepare: () => execFileSync('mkfifo', [path]) },
  ])
    it(`fails on ${name}`, async () => {
      prepare()
      await assert.rejects(new Tail().running, { code: 'SOURCE' })
    })

  it('shows the last lines only', async () => {
    writeFileSync(path, Array.from({ length: 50 }, (_, i) => line(`l${i}`)).join(''))
    const run = new Run(time)
    const config = {
      type: 'file-tail',
      name: 'lines',
      owner: 'o',
      kind: 'news',
      undated: 'history',
      datesWithoutZone: 'unknown',
      freshMinutes: 10,
      path,
      from: 'beginning',
    } as const
    await createFileTail(config, { clock: time.clock, sleep: realSleep }).preview(run, 2)
    assert.deepEqual(
      run.posts().map(({ id }) => id),
      ['l48', 'l49'],
    )
  })
})
