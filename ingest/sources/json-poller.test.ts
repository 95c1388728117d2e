import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { JsonPollerSource } from '../../infra/config-sources.ts'
import { AppError } from '../../infra/errors.ts'
import { VirtualTime } from '../virtual-time.fixture.ts'
import { createJsonPoller } from './json-poller.ts'
import { maxItems } from './novelty.ts'
import type { Source } from './source.ts'
import { fetcherFor, Run, Web } from './web.fixture.ts'

let web: Web
let time: VirtualTime
let run: Run

beforeEach(async () => {
  web = new Web()
  await web.open()
  time = new VirtualTime(Date.parse('2024-03-05T10:00:00Z'))
  run = new Run(time)
})
afterEach(() => web.close())

function poller(path: string, more: Partial<JsonPollerSource> = {}): Source {
  const config: JsonPollerSource = {
    type: 'json-poller',
    name: 'api',
    owner: 'desk',
    kind: 'news',
    undated: 'history',
    datesWithoutZone: 'unknown',
    freshMinutes: 10,
    url: web.url(path),
    schedule: '* * * * *',
    items: '/data',
    lookbackHours: 24,
    mapping: { id: '/id', text: '/title', publishedAt: '/at' },
    ...more,
  }
  const fetcher = fetcherFor(time)
  const { clock } = time
  const headers = () => ({ 'x-api-key': 'key of the desk' })
  return createJsonPoller(config, {
    fetcher,
    clock,
    headers,
    query: () => ({ token: 'token&desk' }),
  })
}

const item = (id: number, minutesAgo = 1) => ({
  id,
  title: `Item ${id}`,
  at: new Date(time.now - minutesAgo * 60_000).toISOString(),
})

/** Pages by what their `page`, `cursor` or nothing says. */
function servePages(pages: Readonly<Record<string, unknown>>): void {
  web.answer = (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://x')
    const page = pages[searchParams.get('page') ?? searchParams.get('cursor') ?? '']
    response.writeHead(page === undefined ? 404 : 200).end(JSON.stringify(page))
  }
}

const texts = () => run.posts().map(({ text }) => text)

describe('createJsonPoller', () => {
  it('sends the secrets of its owner, and since when it wants items', async () => {
    servePages({ '': { data: [item(1)] } })
    const source = poller('/v1/news?from={since}')
    await source.run(run)
    assert.equal(web.requests[0]?.headers['x-api-key'], 'key of the desk')
    const first = new URL(web.requests[0]?.url ?? '', 'http://x').searchParams
    assert.equal(first.get('token'), 'token&desk')
    assert.equal(first.get('from'), '2024-03-04T10:00:00.000Z')
    time.now += 60_000
    await source.run(run)
    const second = new URL(web.requests[1]?.url ?? '', 'http://x').searchParams
    assert.equal(second.get('from'), '2024-03-05T09:44:00.000Z')
    assert.deepEqual(texts(), ['Item 1'])
    assert.doesNotMatch(JSON.stringify(run.state), /key of|token&desk|token%26desk/)
  })

  it('turns pages until it knows an item', async () => {
    const source = poller('/n?page={page}', { paging: { maxPages: 10 } })
    servePages({ 1: { data: [item(2), item(1)] }, 2: { data: [] } })
    await source.run(run)
    assert.deepEqual(texts().toSorted(), ['Item 1', 'Item 2'])
    servePages({
      1: { data: [item(6), item(5)] },
      2: { data: [item(4), item(3)] },
      3: { data: [item(2), item(1)] },
    })
    await source.run(run)
    assert.deepEqual(texts().toSorted(), ['Item 3', 'Item 4', 'Item 5', 'Item 6'])
    assert.equal(web.requests.length, 5)
  })

  it('reads all pages again when one was missing', async () => {
    const source = poller('/n?page={page}', { paging: { maxPages: 10 } })
    servePages({ 1: { data: [item(2)] } })
    await assert.rejects(source.run(run), { code: 'SOURCE' })
    servePages({ 1: { data: [item(2)] }, 2: { data: [item(1)] }, 3: { data: [] } })
    await source.run(run)
    assert.deepEqual(texts().toSorted(), ['Item 1', 'Item 2'])
  })

  it('follows cursors, and says that there were more pages than it may read', async () => {
    const source = poller('/n?cursor={cursor}', { paging: { cursor: '/next', maxPages: 2 } })
    servePages({
      '': { data: [item(3)], next: 'a b' },
      'a b': { data: [item(2)], next: 'c' },
      c: { data: [item(1)] },
    })
    await source.run(run)
    assert.deepEqual(texts().toSorted(), ['Item 2', 'Item 3'])
    assert.match(run.oddities[0] ?? '', /more than 2 pages/)
  })

  it('follows links to the next page on the same host, and to no other', async () => {
    const source = poller('/n', { paging: { next: '/links/next', maxPages: 5 } })
    servePages({ '': { data: [item(2)], links: { next: '/n?page=2' } }, 2: { data: [item(1)] } })
    await source.run(run)
    assert.equal(texts().length, 2)
    servePages({ '': { data: [item(3)], links: { next: 'http://elsewhere.example/n' } } })
    await assert.rejects(source.run(run), { message: 'api: its next page is elsewhere' })
  })

  it('sends no secret to where a redirect led, for the next page either', async () => {
    const other = new Web()
    await other.open()
    try {
      const next = `${other.url('/n')}?page=2`
      other.serve(JSON.stringify({ data: [item(1)], links: { next } }))
      web.answer = (_request, response) =>
        response.writeHead(302, { location: other.url('/n') }).end()
      const source = poller('/n', { paging: { next: '/links/next', maxPages: 5 } })
      await assert.rejects(source.run(run), { message: 'api: its next page is elsewhere' })
      assert.equal(other.requests.length, 1)
      assert.doesNotMatch(JSON.stringify(other.requests[0]?.headers), /key of the desk/)
    } finally {
      await other.close()
    }
  })

  it('takes no more items at once than it remembers, so that none is new for ever', async () => {
    const source = poller('/n')
    servePages({ '': { data: Array.from({ length: maxItems + 10 }, (_, id) => item(id, 1 + id)) } })
    await source.run(run)
    assert.equal(run.posts().length, maxItems)
    assert.match(run.oddities[0] ?? '', /more than 5000 new items/)
    await source.run(run)
    assert.equal(run.posts().length, 0)
  })

  it('brings an edited item as a correction', async () => {
    const source = poller('/n')
    servePages({ '': { data: [item(1)] } })
    await source.run(run)
    servePages({ '': { data: [{ ...item(1), title: 'Item 1, revised' }] } })
    await source.run(run)
    assert.deepEqual(
      run.posts().map(({ id, status }) => [id, status]),
      [
        ['api:1', undefined],
        ['api:1', 'corrected'],
      ],
    )
  })

  it('buries items that it cannot map, once, and takes the others', async () => {
    const source = poller('/n')
    servePages({
      '': { data: [{ id: 9 }, item(1), 'x', { ...item(2), title: 'é'.repeat(30_000) }] },
    })
    await source.run(run)
    await source.run(run)
    const posts = run.posts()
    assert.deepEqual(posts.map(({ id }) => id).toSorted(), ['api:1', 'api:2'])
    assert.equal(run.letters().length, 2)
  })

  for (const { name, body, reason } of [
    { name: 'no JSON', body: '<html>', reason: 'api: the answer is no JSON' },
    { name: 'no list', body: '{"data":{}}', reason: 'api: no list of items at its place' },
    { name: 'null', body: 'null', reason: 'api: no list of items at its place' },
  ])
    it(`fails on ${name}`, async () => {
      web.serve(body)
      await assert.rejects(poller('/n').run(run), { code: 'SOURCE', message: reason })
    })

  it('keeps nothing of a reading whose posts were not taken', async () => {
    servePages({ '': { data: [item(1)] } })
    run.log.before = () => {
      throw new AppError('LOG', 'gone')
    }
    await assert.rejects(poller('/n').run(run), { code: 'LOG' })
    assert.deepEqual(run.state, {})
  })
})
