/** Forgetting on the real log, engine and pipeline: what is left, what is counted, and what does not come back. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Monitor, startMonitor } from '../../dashboards/monitor.fixture.ts'
import { loadConfig } from '../../infra/config.ts'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { EmbeddedLog } from '../../infra/log/embedded-log.ts'
import { type Log, topics } from '../../infra/log/log.ts'
import { readAll } from '../../infra/log/read-records.ts'
import { silentLogger as logger } from '../../infra/logger.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Store } from '../../infra/store/store.ts'
import { createLinker } from '../entities/link.ts'
import { type PipelineRole, startPipelineRole } from '../main.ts'
import type { ErasureView } from './table.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-erasure-'))
const secret = 'Ada Lovelace'
const config = {
  ...loadConfig({ env: { PIPELINE_EXPERTS: 'linear' } }).pipeline,
  flushMs: 1,
}

/** As Kafka is: it keeps what it has. */
function withoutRewrite(log: EmbeddedLog): Log {
  return new Proxy<EmbeddedLog>(log, {
    get(target, name: keyof EmbeddedLog) {
      if (name === 'rewrite') return undefined
      const part = target[name]
      return typeof part === 'function' ? part.bind(target) : part
    },
  })
}

describe('forgetting', () => {
  let now = Date.parse('2026-03-02T12:00:00Z')
  let log: EmbeddedLog
  let store: Store
  let pipeline: PipelineRole
  let monitor: Monitor

  async function start(logTopic = 'posts@0', ofLog: Log = log): Promise<void> {
    pipeline = await startPipelineRole({
      linker: createLinker(),
      log: ofLog,
      store,
      logTopic,
      config,
      clock: () => now,
      logger,
      onFatal: (error) => {
        throw error
      },
    })
    monitor = await startMonitor([pipeline.plugin])
  }

  async function stop(): Promise<void> {
    await monitor.close()
    await pipeline.stop()
  }

  before(async () => {
    log = createEmbeddedLog({ path: join(folder, 'log'), clock: () => now, logger })
    await log.ensureTopics(
      [topics.posts, topics.dead, topics.feedback, topics.control].map((name) => ({
        name,
        partitions: 1,
      })),
    )
    store = await openEmbeddedStore({ path: join(folder, 'store') })
    await start()
  })

  after(async () => {
    await stop()
    await log.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const post = (id: string, fields: object = {}) => ({
    id,
    source: 'wire',
    kind: 'comment',
    text: `$FB falls, ${id} says`,
    title: `About ${id}`,
    url: `https://social.example/ada/${id}`,
    author: secret,
    publishedAt: '2026-03-02T11:50:00Z',
    ...fields,
  })

  async function append(...values: readonly (object | string)[]): Promise<number> {
    now += 1_000
    const positions = await log.append(
      topics.posts,
      values.map((value) => ({
        key: typeof value === 'string' ? null : String((value as { id?: unknown }).id),
        value: typeof value === 'string' ? value : JSON.stringify(value),
      })),
    )
    return positions.at(-1)?.offset ?? -1
  }

  async function stored(offset: number, logTopic = 'posts@0'): Promise<void> {
    const until = performance.now() + 60_000
    while ((await store.mark({ logTopic, partition: 0 })) < offset)
      assert.ok(performance.now() < until, `offset ${offset} is not stored`)
  }

  async function forget(body: object): Promise<ErasureView> {
    const response = await fetch(`${monitor.url}/api/erasures`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(response.status, 200)
    return (await response.json()) as ErasureView
  }

  const textsOf = (id: string) =>
    store.query<Record<string, string>>(
      `SELECT DISTINCT text, title, author, url FROM analyses WHERE post_id = {id:String}`,
      { id },
    )
  const blank = { text: '', title: '', author: '', url: '' }

  it('empties a post everywhere, and keeps its place, its results and its hash', async () => {
    const offset = await append(post('gone'), post('stays'), post('gone', { status: 'withdrawn' }))
    await stored(offset)
    const before = await readAll(log, topics.posts)
    const results = () =>
      store.query(
        `SELECT offset, ordinal, version, outcome, content_hash, negative, instrument FROM analyses ORDER BY offset, ordinal`,
      )
    const [wereResults, kept] = [await results(), await textsOf('stays')]
    const dry = await forget({ post_id: 'gone', dry_run: true })
    assert.deepEqual([dry.state, dry.rows, dry.records], ['dry run', 4, 2])
    assert.notDeepEqual(await textsOf('gone'), [blank])
    const done = await forget({ post_id: 'gone', by: 'officer', note: 'request 7' })
    assert.deepEqual([done.state, done.rows, done.records], ['done', 4, 2])
    assert.deepEqual(await textsOf('gone'), [blank])
    assert.deepEqual(await textsOf('stays'), kept)
    assert.deepEqual(await results(), wereResults)
    const after = await readAll(log, topics.posts)
    const shape = ({ offset, timestamp, key }: (typeof after)[number]) => ({
      offset,
      timestamp,
      key,
    })
    assert.deepEqual(after.map(shape), before.map(shape))
    assert.equal(after.filter(({ value }) => value.includes('gone says')).length, 0)
    assert.deepEqual(
      await store.query(
        "SELECT text FROM analyses WHERE instrument != '' AND post_id = 'gone' ORDER BY instrument, published_at",
      ),
      [{ text: '' }, { text: '' }],
    )
  })

  it('empties the posts and letters of an author, whose name is nowhere afterwards', async () => {
    const cut = `{"id":"cut","author":"${secret}","text":"${'x'.repeat(70_000)}`
    const offset = await append(
      post('one'),
      post('two', { source: 'other' }),
      cut,
      post('his', { author: 'Bob' }),
    )
    await stored(offset)
    const done = await forget({ author: secret })
    assert.equal(done.state, 'done')
    assert.equal(done.letters, 1)
    assert.equal(done.post_id, '')
    for (const id of ['one', 'two', 'stays']) assert.deepEqual(await textsOf(id), [blank])
    assert.equal((await textsOf('his'))[0]?.author, 'Bob')
    for (const topic of [topics.posts, topics.dead])
      for (const { value } of await readAll(log, topic)) assert.ok(!value.includes(secret))
    const tables = await store.query<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
    )
    for (const { name } of tables)
      assert.deepEqual(
        await store.query(
          `SELECT * FROM ${name} WHERE position(toString(tuple(*)), {secret:String}) > 0`,
          { secret },
        ),
        [],
        name,
      )
    const letters = await fetch(`${monitor.url}/api/deadletters?state=open`)
    const { letters: open } = (await letters.json()) as {
      letters: { id: string; erased: boolean }[]
    }
    assert.ok(open.some(({ erased }) => erased))
  })

  it('is limited to a source when one is named', async () => {
    await stored(await append(post('here'), post('there', { source: 'other' })))
    await forget({ author: secret, source: 'other' })
    assert.deepEqual(await textsOf('there'), [blank])
    assert.equal((await textsOf('here'))[0]?.author, secret)
  })

  it('empties nothing twice, and nothing that comes later', async () => {
    const again = await forget({ post_id: 'gone' })
    assert.deepEqual([again.state, again.rows, again.records], ['done', 0, 0])
    await stored(await append(post('later')))
    assert.equal((await textsOf('later'))[0]?.author, secret)
  })

  it('knows a repeat of what was forgotten for a duplicate', async () => {
    const offset = await append(post('stays'))
    await stored(offset)
    const rows = await store.query(
      'SELECT outcome, version FROM analyses WHERE offset = {offset:Int64}',
      { offset },
    )
    assert.deepEqual(rows, [{ outcome: 'duplicate', version: 1 }])
  })

  it('is recognised at the mark, and goes on there', async () => {
    await stored(await append(post('last')))
    await forget({ post_id: 'last' })
    await stop()
    await start()
    const offset = await append(post('next'))
    await stored(offset)
    assert.equal((await textsOf('next')).length, 1)
  })

  it('goes on after a crash between its steps, under the same id', async () => {
    await stored(await append(post('crash')))
    await stop()
    const id = 'an-erasure-that-was-killed'
    await store.insert('erasures', [
      {
        id,
        step: 0,
        begun_at: '2026-03-03 00:00:00.000',
        done_at: null,
        post_id: 'crash',
        author_hash: '',
        salt: '',
        source: '',
        person: 'x',
        note: '',
        rows: 0,
        rescored_rows: 0,
        alerts: 0,
        records: 0,
        letters: 0,
        kept_records: 0,
      },
    ])
    await start()
    const done = await forget({ post_id: 'crash' })
    assert.deepEqual([done.id, done.state], [id, 'done'])
    assert.deepEqual(await textsOf('crash'), [blank])
    now = Date.parse('2026-03-03T00:01:00Z')
  })

  it('does not come back when the log is read again in a new epoch', async () => {
    await stop()
    const [end = 0] = await log.endOffsets(topics.posts)
    await start('posts@1')
    await stored(end - 1, 'posts@1')
    const sql = `SELECT DISTINCT outcome, reason, text FROM analyses WHERE log_topic = 'posts@1' AND post_id IN ('gone', 'one', 'crash') ORDER BY outcome`
    assert.deepEqual(await store.query(sql), [{ outcome: 'dead', reason: 'erased', text: '' }])
    const dead = await readAll(log, topics.dead)
    assert.ok(dead.every(({ value }) => !value.includes('posts@1/0/0"')))
  })

  it('does not come back from a log that kept its records', async () => {
    await stop()
    const kept = createEmbeddedLog({ path: join(folder, 'kept'), clock: () => now, logger })
    await kept.ensureTopics(
      [topics.posts, topics.dead, topics.feedback, topics.control].map((name) => ({
        name,
        partitions: 1,
      })),
    )
    now = Date.parse('2026-03-02T12:00:00Z')
    await kept.append(topics.posts, [{ key: 'gone', value: JSON.stringify(post('gone')) }])
    now = Date.parse('2026-03-04T12:00:00Z')
    const later = await kept.append(topics.posts, [
      { key: 'x', value: JSON.stringify(post('gone')) },
    ])
    await start('posts@2', withoutRewrite(kept))
    await stored(later[0]?.offset ?? 1, 'posts@2')
    const rows = await store.query(
      "SELECT offset, reason, text = '' AS empty FROM analyses WHERE log_topic = 'posts@2' AND ordinal = 0 ORDER BY offset",
    )
    assert.deepEqual(rows[0], { offset: 0, reason: 'erased', empty: 1 })
    assert.equal((rows[1] as { empty: number }).empty, 0)
    const dry = await forget({ author: secret, dry_run: true })
    assert.deepEqual([dry.records, dry.kept_records], [0, 2])
    const done = await forget({ author: secret })
    assert.deepEqual([done.state, done.records, done.kept_records], ['done', 0, 2])
    assert.match(done.message, /Kafka rewrites nothing: 2 records/)
    assert.deepEqual(await textsOf('gone'), [blank])
    await stop()
    await kept.close()
    await start('posts@1')
  })
})
