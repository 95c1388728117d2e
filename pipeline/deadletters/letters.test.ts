/** Dead letters on the real log and engine, over HTTP: what is listed, what a redrive does, and who may decide. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Monitor, startMonitor } from '../../dashboards/monitor.fixture.ts'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { EmbeddedLog } from '../../infra/log/embedded-log.ts'
import { topics } from '../../infra/log/log.ts'
import { readAll } from '../../infra/log/read-records.ts'
import { silentLogger as logger } from '../../infra/logger.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Store } from '../../infra/store/store.ts'
import { decodeRecord, maxAttempts } from '../../ingest/contract.ts'
import { bury, type Cause } from '../dead-letters.ts'
import { deadLetterRoutes } from '../routes/deadletters.ts'
import { createLetters, type Letter, type LetterDetail, type Letters } from './letters.ts'
import { claimMs } from './redrive.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-letters-'))
const logTopic = 'posts@0'
const cause: Cause = { class: 'judging', reason: 'judging it fails: RangeError' }

interface Answer<Body> {
  readonly status: number
  readonly body: Body & { readonly error?: { readonly code: string; readonly message: string } }
}

describe('dead letters', () => {
  let now = Date.parse('2026-03-02T12:00:00Z')
  let log: EmbeddedLog
  let store: Store
  let letters: Letters
  let twin: Letters
  let monitor: Monitor

  /** On a log that keeps its records. */
  const isErased = ({ author }: { readonly author?: string | undefined }) => author === 'forgotten'

  const start = async () => {
    const started = createLetters({ log, store, logTopic, logger, clock: () => now, isErased })
    await started.start()
    return started
  }

  before(async () => {
    log = createEmbeddedLog({ path: join(folder, 'log'), clock: () => now, logger })
    await log.ensureTopics([topics.posts, topics.dead].map((name) => ({ name, partitions: 1 })))
    store = await openEmbeddedStore({ path: join(folder, 'store') })
    letters = await start()
    twin = await start()
    monitor = await startMonitor([deadLetterRoutes(letters)])
  })

  after(async () => {
    await monitor.close()
    await letters.stop()
    await twin.stop()
    await log.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const post = (fields: object = {}) => ({
    id: 'the-post',
    source: 'wire',
    kind: 'news',
    text: 'Shares fall',
    publishedAt: '2026-03-02T11:00:00.000Z',
    ...fields,
  })

  /** Appends a record to `posts` and its letter to `posts.dead`. */
  async function bear(value: unknown, why: Cause = cause): Promise<string> {
    const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
    const [position] = await log.append(topics.posts, [{ key: null, value: bytes }])
    await buryAt(position?.offset ?? -1, why)
    return `${logTopic}/0/${position?.offset}`
  }

  async function buryAt(offset: number, why: Cause = cause): Promise<void> {
    const record = (await readAll(log, topics.posts)).find((each) => each.offset === offset)
    assert.ok(record)
    const decoded = decodeRecord(record.value, now)
    const redriveOf = decoded.ok ? decoded.redriveOf : undefined
    await bury(log, { logTopic, partition: 0 }, [{ record, cause: why, redriveOf }])
  }

  async function get<Body>(path: string): Promise<Answer<Body>> {
    const response = await fetch(`${monitor.url}/api/deadletters${path}`)
    return { status: response.status, body: (await response.json()) as Answer<Body>['body'] }
  }

  async function send<Body = Letter>(path: string, body: object = {}): Promise<Answer<Body>> {
    const response = await fetch(`${monitor.url}/api/deadletters${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Answer<Body>['body'] }
  }

  const of = (origin: string, action = '') => `/${encodeURIComponent(origin)}${action}`
  const newest = async () => (await readAll(log, topics.posts)).at(-1)

  it('are listed newest first, by filter and page by page, and agree in SQL', async () => {
    const first = await bear('{"id": "a"', {
      class: 'invalid',
      reason: 'not valid JSON at position 11',
    })
    now += 60_000
    const second = await bear(post({ source: 'x\u001b[31m' }))
    await letters.show(second)
    const page = await get<{ letters: Letter[]; before: string }>('?limit=1')
    assert.deepEqual(
      page.body.letters.map(({ origin }) => origin),
      [second],
    )
    const next = await get<{ letters: Letter[] }>(`?limit=1&before=${page.body.before}`)
    assert.deepEqual(
      next.body.letters.map(({ origin }) => origin),
      [first],
    )
    const filters = [
      '?class=invalid',
      '?reason=JSON',
      '?to=2026-03-02T12:01:00Z',
      '?state=open&class=invalid&source=',
    ]
    for (const filter of filters) {
      const found = await get<{ letters: Letter[] }>(filter)
      assert.deepEqual(
        found.body.letters.map(({ origin }) => origin),
        [first],
        filter,
      )
    }
    for (const wrong of ['?from=yesterday', '?limit=0', '?before=x', '?state=lost', '?no=1'])
      assert.equal((await get(wrong)).status, 400, wrong)
    const rows = await store.query<{ origin: string }>(
      'SELECT origin FROM dead_letters_v ORDER BY letter_offset',
    )
    assert.deepEqual(
      rows.map(({ origin }) => origin),
      [first, second],
    )
  })

  it('are shown with payload and stack, by id or origin; an unknown one is 404', async () => {
    const origin = await bear(post(), { ...cause, error: new RangeError('no such\u0007thing') })
    for (const id of [origin, origin.replaceAll('/', '.')]) {
      const { body } = await get<LetterDetail>(of(id))
      assert.equal(body.origin, origin)
      assert.equal(JSON.parse(body.payload).text, 'Shares fall')
      assert.match(body.stack, /^RangeError: no such thing\n/)
    }
    const unknown = await get(of(`${logTopic}/0/999`))
    assert.deepEqual([unknown.status, unknown.body.error?.code], [404, 'DEAD_LETTER'])
  })

  it('appends the post anew, with its dates and its origin, once', async () => {
    const origin = await bear(post({ id: 'again' }))
    const { status, body } = await send(of(origin, '/redrive'), { by: 'ada', note: 'mended' })
    assert.deepEqual([status, body.state, body.by, body.note], [200, 'redriven', 'ada', 'mended'])
    const record = await newest()
    assert.equal(body.redriven_to, `${logTopic}/0/${record?.offset}`)
    assert.deepEqual(JSON.parse(record?.value.toString() ?? ''), {
      ...post({ id: 'again' }),
      redriveOf: { origin, attempt: 2 },
    })
    const twice = await send(of(origin, '/redrive'))
    assert.equal(twice.status, 409)
    assert.match(twice.body.error?.message ?? '', /redriven to posts@0\/0\//)
    assert.equal((await send(of(origin, '/drop'))).status, 409)
  })

  it('dead again is the same letter with one attempt more, up to a bound', async () => {
    const origin = await bear(post({ id: 'looping' }))
    for (let attempt = 2; attempt <= maxAttempts; attempt++) {
      assert.equal((await send(of(origin, '/redrive'))).status, 200)
      await buryAt((await newest())?.offset ?? -1)
      const { body } = await get<Letter>(of(origin))
      assert.deepEqual([body.state, body.attempts], ['open', attempt])
    }
    const more = await send(of(origin, '/redrive'))
    assert.equal(more.status, 409)
    assert.match(more.body.error?.message ?? '', /refused 5 times/)
    assert.equal((await send(of(origin, '/drop'))).body.state, 'dropped')
  })

  it('is one letter when a crash repeats it, also after a decision', async () => {
    const origin = await bear(post({ id: 'repeated' }))
    await buryAt(Number(origin.split('/')[2]))
    assert.equal((await send(of(origin, '/drop'), { note: 'noise' })).status, 200)
    await buryAt(Number(origin.split('/')[2]))
    const { body } = await get<Letter>(of(origin))
    assert.deepEqual([body.state, body.attempts, body.note], ['dropped', 1, 'noise'])
  })

  it('redriven by two at once is appended once', async () => {
    const origin = await bear(post({ id: 'race' }))
    const before = (await readAll(log, topics.posts)).length
    const person = { by: 'x', note: '' }
    const answers = await Promise.all([
      letters.redrive(origin, person),
      twin.redrive(origin, person),
      twin.drop(origin, person),
    ])
    assert.equal(answers.filter((answer) => 'refused' in answer).length, 2)
    assert.ok((await readAll(log, topics.posts)).length <= before + 1)
  })

  it('is free again when whoever claimed it is gone', async () => {
    const origin = await bear(post({ id: 'claimed' }))
    const { head } = (await letters.list({ state: 'open' }, { limit: 1 }))[0] ?? { head: -1 }
    const claim = { type: 'redriving', origin, after: head, by: 'gone', note: '' }
    await letters.show(origin)
    const [state] = await letters.list({ state: 'open' }, { limit: 1 })
    assert.equal(state?.origin, origin)
    await log.append(topics.dead, [
      { key: origin, value: JSON.stringify({ ...claim, after: state?.head }) },
    ])
    const busy = await send(of(origin, '/redrive'))
    assert.match(busy.body.error?.message ?? '', /somebody redrives it now/)
    now += claimMs + 1
    assert.equal((await send(of(origin, '/redrive'))).body.state, 'redriven')
  })

  it('that is no post is redriven only when it is mended', async () => {
    const origin = await bear('{"id": "broken"', { class: 'invalid', reason: 'not valid JSON' })
    const refused = await send(of(origin, '/redrive'))
    assert.equal(refused.status, 422)
    assert.equal((await send(of(origin, '/redrive'), { post: { id: 'x' } })).status, 422)
    const mended = await send(of(origin, '/redrive'), { post: post({ id: 'mended' }) })
    assert.equal(mended.body.state, 'redriven')
    assert.equal(JSON.parse((await newest())?.value.toString() ?? '').redriveOf.origin, origin)
  })

  it('of a live source is redriven under its origin', async () => {
    for (const origin of ['source:chat/18446744073709551615/12', 'source:vendor:stories.v1/0/7']) {
      const letter = {
        origin,
        reason: 'not valid JSON',
        payload: '{"id": "broken"',
        payloadBytes: 15,
        appendedAt: new Date(now).toISOString(),
      }
      await log.append(topics.dead, [{ key: origin, value: JSON.stringify(letter) }])
      const mended = await send(of(origin, '/redrive'), { post: post({ id: origin }) })
      assert.equal(mended.body.state, 'redriven')
      const decoded = decodeRecord((await newest())?.value ?? Buffer.alloc(0), now)
      assert.deepEqual(decoded.ok && decoded.redriveOf, { origin, attempt: 2 })
    }
  })

  it('of a forgotten author show nothing and stay where they are', async () => {
    const author = 'forgotten'
    const broken = `{"author": "${author}", "text": "secret"`
    for (const value of [post({ id: 'secret', author }), broken]) {
      const origin = await bear(value, { ...cause, error: new RangeError('secret') })
      const { body } = await get<LetterDetail>(of(origin))
      assert.deepEqual([body.payload, body.stack, body.erased], ['', '', true])
      assert.equal((await send(of(origin, '/redrive'))).status, 410)
    }
  })

  it('with a cut payload is read back from the log, while that holds it', async () => {
    const long = post({
      id: 'long',
      text: '€'.repeat(20_000),
      title: 'x'.repeat(1_000),
      url: 'u'.repeat(2_000),
    })
    const padded = { ...long, tickers: Array.from({ length: 50 }, () => '😀'.repeat(20)) }
    const origin = await bear(padded)
    assert.ok((await get<Letter>(of(origin))).body.payload_bytes > 65_536)
    assert.equal((await send(of(origin, '/redrive'))).status, 200)
    assert.equal(JSON.parse((await newest())?.value.toString() ?? '').text, padded.text)
    const elsewhere = await bear(padded)
    const gone = createLetters({
      log,
      store,
      logTopic: 'posts@1',
      logger,
      clock: () => now,
      isErased,
    })
    await gone.start()
    const answer = await gone.redrive(elsewhere, { by: 'x', note: '' })
    await gone.stop()
    assert.ok('refused' in answer && answer.refused === 'gone')
  })

  it('are decided by the filter, after a dry run', async () => {
    const origins = [
      await bear(post({ id: 'b1', source: 'bulk' })),
      await bear('{', { class: 'invalid', reason: 'bulk' }),
    ]
    const dry = await send<{ matched: number }>('/redrive', { source: 'bulk', dry_run: true })
    assert.equal(dry.body.matched, 1)
    const none = { to: '1970-01-01T00:00:00Z', dry_run: true }
    assert.equal((await send<{ matched: number }>('/drop', none)).body.matched, 0)
    assert.equal((await get<Letter>(of(origins[0] ?? ''))).body.state, 'open')
    const { body } = await send<{ done: number }>('/redrive', { source: 'bulk' })
    assert.equal(body.done, 1)
    const dropped = await send<{ done: number }>('/drop', { reason: 'BULK' })
    assert.equal(dropped.body.done, 1)
    assert.equal((await send('/drop', { from: 'never' })).status, 400)
  })

  it('come to the same states on another instance, interrupted and resumed', async () => {
    const statesOf = async (epoch: string) => {
      const sql =
        'SELECT * EXCEPT epoch FROM dead_letters FINAL WHERE epoch = {epoch:String} ORDER BY origin'
      return store.query<object>(sql, { epoch })
    }
    // Another test left this one in the middle.
    const other = createLetters({
      log,
      store,
      logTopic: 'posts@1',
      logger,
      clock: () => now,
      isErased,
    })
    await other.start()
    await other.show('')
    await other.stop()
    assert.deepEqual(await statesOf('posts@1'), await statesOf(logTopic))
  })
})
