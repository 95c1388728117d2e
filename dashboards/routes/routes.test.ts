import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type {
  ApiError,
  Feed,
  InstrumentSeries,
  Overview,
  SqlAnswer,
  Status,
  Topics,
} from '../contract.ts'
import { createDashboards } from '../main.ts'
import {
  type Monitor,
  openTestStore,
  startMonitor,
  type TestStore,
  testDeps,
} from '../monitor.fixture.ts'
import { storePosts, type TestPost } from '../rows.fixture.ts'

const now = Date.parse('2026-03-01T12:00:05Z')
const minute = 60_000

describe('the API over the store', () => {
  let opened: TestStore
  let monitor: Monitor

  async function get<Answer>(path: string): Promise<{ status: number; body: Answer }> {
    const response = await fetch(`${monitor.url}${path}`)
    return { status: response.status, body: (await response.json()) as Answer }
  }

  before(async () => {
    opened = await openTestStore()
    const posts: TestPost[] = [
      post(0, 0, 14, 'old $AAPL', { negative: 0.1, neutral: 0.1, positive: 0.8, score: 0.7 }),
      post(0, 1, 1, 'bad $AAPL $XYZ', { negative: 0.8, neutral: 0.1, positive: 0.1, score: -0.7 }),
      post(1, 0, 1, 'worse $AAPL', { negative: 0.9, neutral: 0.1, positive: 0, score: -0.9 }),
      post(1, 1, 200, 'outside of the window $AAPL', {}),
      post(1, 2, 2, 'imported $AAPL', { history: true }),
      post(1, 3, 2, '', { outcome: 'dead', reason: 'no text' }),
    ]
    await storePosts(opened.store, posts)
    const dashboards = createDashboards(testDeps(opened.store, { clock: () => now }))
    monitor = await startMonitor([dashboards.plugin])
  })
  after(async () => {
    await monitor.close()
    await opened.close()
  })

  it('sums up the window: mood, figures, movers', async () => {
    const { status, body } = await get<Overview>('/api/overview?range=15m')
    assert.equal(status, 200)
    assert.equal(body.window.to, Date.parse('2026-03-01T12:00:10Z'))
    assert.equal(body.mood.length, 90)
    assert.equal(body.kpis.posts, 4)
    assert.equal(body.kpis.instruments, 2)
    assertClose(body.kpis.mood, -0.8)
    const bucket = body.mood.find(({ at }) => at === now - 5_000 - minute)
    assert.equal(bucket?.posts, 2)
    assertClose(bucket?.negative, 1.7)
    const [mover] = body.movers
    assert.ok(mover !== undefined)
    assert.deepEqual([mover.instrument, mover.name, mover.ticker], ['US:AAPL', 'Apple', '$AAPL'])
    assert.equal(mover.posts, 4)
    assert.equal(mover.sparkline.length, 30)
    assert.ok(mover.score < 0 && (mover.before ?? 0) > 0 && mover.surprise > 0)
  })

  it('gives the series of an instrument, and an empty one for an unknown', async () => {
    const { body } = await get<InstrumentSeries>('/api/instruments/US%3AXYZ/series?range=15m')
    const scored = body.points.filter(({ posts }) => posts > 0)
    assert.equal(scored.length, 1)
    assertClose(scored[0]?.score, -0.7)
    const unknown = await get<InstrumentSeries>(
      `/api/instruments/${encodeURIComponent("x' OR 1=1 --")}/series`,
    )
    assert.equal(unknown.status, 200)
    assert.ok(unknown.body.points.every(({ posts }) => posts === 0))
  })

  it('pages through the feed without loss or repeat, newest first', async () => {
    const texts: string[] = []
    for (let before: string | null = ''; before !== null; ) {
      const cursor: string = before === '' ? '' : `&before=${before}`
      const { body } = await get<Feed>(`/api/posts?limit=1${cursor}`)
      texts.push(...body.posts.map(({ text }) => text))
      before = body.before
    }
    assert.deepEqual(texts, [
      'worse $AAPL',
      'bad $AAPL $XYZ',
      'old $AAPL',
      'outside of the window $AAPL',
    ])
  })

  it('shows a post with its probabilities and mentions', async () => {
    const { body } = await get<Feed>('/api/posts?limit=2')
    const shown = body.posts[1]
    assert.deepEqual(
      shown?.mentions.map(({ ticker }) => ticker),
      ['$AAPL', '$XYZ'],
    )
    assertClose(shown?.negative, 0.8)
    assert.equal(shown?.publishedAt, new Date(now - minute).toISOString())
  })

  it('gives the heat map', async () => {
    const { body } = await get<Topics>('/api/topics?range=15m')
    const posts = body.topics.map((row) => row.posts)
    assert.equal(
      posts.reduce((sum, n) => sum + n, 0),
      4,
    )
    assert.ok(body.topics.every((row) => row.cells.length === 24))
  })

  it('tells how the monitor is doing', async () => {
    const { body } = await get<Status>('/api/status')
    assert.equal(body.now, new Date(now).toISOString())
    assert.equal(body.newestAppendedAt, new Date(now - minute).toISOString())
    assert.deepEqual([body.replay, body.waiting, body.deadLetters], [null, null, 0])
    assert.deepEqual(body.versions, { tickertone: '0.1.0', lexicon: '1', linear: '1' })
  })

  it('answers SQL, and refuses or fails it with a reason', async () => {
    const ask = async (sql: unknown) => {
      const response = await fetch(`${monitor.url}/api/sql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sql }),
      })
      return { status: response.status, body: (await response.json()) as SqlAnswer & ApiError }
    }
    const answer = await ask(
      'SELECT instrument, count() AS n FROM mentions_v GROUP BY instrument ORDER BY n DESC',
    )
    assert.deepEqual(answer.body, {
      columns: [
        { name: 'instrument', type: 'LowCardinality(String)' },
        { name: 'n', type: 'UInt64' },
      ],
      rows: [
        ['US:AAPL', 5],
        ['US:XYZ', 1],
      ],
      truncated: false,
    })
    const refused = await ask('SELECT * FROM system.users')
    assert.deepEqual([refused.status, refused.body.error.code], [400, 'SQL_REFUSED'])
    const failed = await ask('SELECT nothing FROM posts_v')
    assert.deepEqual([failed.status, failed.body.error.code], [400, 'SQL_FAILED'])
    assert.equal((await ask({})).status, 400)
  })

  for (const path of [
    '/api/overview?range=2h',
    '/api/overview?other=1',
    '/api/posts?limit=0',
    '/api/posts?limit=201',
    '/api/posts?before=x',
    '/api/stream?after=x&y=1',
  ])
    it(`refuses ${path}`, async () => {
      const { status, body } = await get<ApiError>(path)
      assert.deepEqual([status, body.error.code], [400, 'BAD_REQUEST'])
    })

  it('documents every route', async () => {
    const { body } = await get<{ paths: object }>('/api/openapi.json')
    for (const path of [
      '/api/overview',
      '/api/topics',
      '/api/posts',
      '/api/status',
      '/api/stream',
      '/api/sql',
      '/api/instruments/{id}/series',
    ])
      assert.ok(path in body.paths, path)
  })

  it('serves the page and its parts, and nothing else of the folders', async () => {
    for (const [path, status] of [
      ['/', 200],
      ['/web/main.js', 200],
      ['/assets/app.css', 200],
      ['/vendor/uPlot.esm.js', 200],
      ['/assets/tsconfig.json', 404],
      ['/assets/main.ts', 404],
      ['/assets/../main.ts', 404],
      ['/web/..%2fmain.js', 404],
      ['/vendor/../package.json', 404],
    ] as const)
      assert.equal((await fetch(`${monitor.url}${path}`)).status, status, path)
  })
})

/** Scores are stored with single precision. */
function assertClose(actual: number | null | undefined, expected: number): void {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-6, `${actual} is not ${expected}`)
}

function post(
  partition: number,
  offset: number,
  minutesAgo: number,
  text: string,
  overrides: NonNullable<TestPost['overrides']>,
): TestPost {
  const id = `${partition}-${offset}`
  return { id, text, partition, offset, publishedAt: now - minutesAgo * minute, overrides }
}
