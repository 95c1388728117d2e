import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { VirtualTime } from '../virtual-time.fixture.ts'
import { isInternalHost } from './internal-host.ts'
import { retryAfterMs } from './retry-after.ts'
import { SourceError } from './source.ts'
import { fetcherFor, Web } from './web.fixture.ts'

const { signal } = new AbortController()
let web: Web
let other: Web
let time: VirtualTime

beforeEach(async () => {
  web = new Web()
  other = new Web()
  await Promise.all([web.open(), other.open()])
  time = new VirtualTime(Date.parse('2024-03-05T10:00:00Z'))
})
afterEach(() => Promise.all([web.close(), other.close()]))

const fails = (pattern: RegExp) => (error: unknown) =>
  error instanceof SourceError && pattern.test(error.message)

describe('createFetcher', () => {
  it('says who asks, and asks no more than what changed', async () => {
    web.answer = (request, response) => {
      if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end()
      else response.writeHead(200, { etag: '"v1"', 'last-modified': 'then' }).end('body')
    }
    const fetcher = fetcherFor(time)
    const document = await fetcher.get(web.url('/feed'), { signal })
    assert.equal(String(document?.body), 'body')
    assert.equal(web.requests[0]?.headers['user-agent'], 'Tickertone/test')
    const validators = document?.validators
    assert.equal(await fetcher.get(web.url('/feed'), { signal, validators }), undefined)
    assert.equal(web.requests[1]?.headers['if-modified-since'], 'then')
    await fetcher.get(web.url('/another'), { signal, validators })
    assert.equal(web.requests[2]?.headers['if-none-match'], undefined)
  })

  it('asks a host once at a time, with a pause in between, and other hosts meanwhile', async () => {
    let open = 0
    let most = 0
    web.answer = (_request, response) => {
      open += 1
      most = Math.max(most, open)
      setImmediate(() => {
        open -= 1
        response.end('x')
      })
    }
    other.serve('y')
    const fetcher = fetcherFor(time, { minIntervalMs: 7_000 })
    const startMs = time.now
    await Promise.all([
      ...['/1', '/2', '/3'].map((path) => fetcher.get(web.url(path), { signal })),
      fetcher.get(other.url('/'), { signal }),
    ])
    assert.equal(most, 1)
    assert.deepEqual(web.paths(), ['/1', '/2', '/3'])
    assert.equal(time.now - startMs, 14_000)
  })

  for (const status of [429, 503])
    it(`leaves a host alone that answers ${status} with Retry-After`, async () => {
      web.answer = (_request, response) =>
        response.writeHead(status, { 'retry-after': '120' }).end()
      const fetcher = fetcherFor(time)
      const asked = (error: unknown) =>
        error instanceof SourceError && error.retryAtMs === time.now + 120_000
      await assert.rejects(fetcher.get(web.url('/feed'), { signal }), asked)
      await assert.rejects(fetcher.get(web.url('/other'), { signal }), fails(/left alone until/))
      assert.equal(web.requests.length, 1)
      time.now += 120_000
      web.serve('back')
      assert.equal(String((await fetcher.get(web.url('/feed'), { signal }))?.body), 'back')
    })

  it('follows redirects, and takes headers along to the same origin only', async () => {
    const redirect = (to: string) =>
      (web.answer = (request, response) =>
        request.url === '/end'
          ? response.end('end')
          : response.writeHead(302, { location: to }).end())
    const headers = { authorization: 'Bearer secret' }
    const fetcher = fetcherFor(time)
    redirect('/end')
    const document = await fetcher.get(web.url('/feed'), { signal, headers })
    assert.equal(document?.url, web.url('/end'))
    assert.equal(web.requests[1]?.headers.authorization, 'Bearer secret')
    other.serve('elsewhere')
    redirect(other.url('/'))
    await fetcher.get(web.url('/feed'), { signal, headers })
    assert.equal(other.requests[0]?.headers.authorization, undefined)
  })

  for (const { name, location, reason } of [
    { name: 'to a file', location: 'file:///etc/passwd', reason: /redirects from http: to file:/ },
    { name: 'to another scheme', location: 'ftp://x.example/', reason: /to ftp:/ },
    { name: 'without end', location: '/again', reason: /more than 5 times/ },
    { name: 'to nowhere', location: 'http://', reason: /to no address/ },
  ])
    it(`refuses a redirect ${name}`, async () => {
      web.answer = (_request, response) => response.writeHead(301, { location }).end()
      await assert.rejects(fetcherFor(time).get(web.url('/feed'), { signal }), fails(reason))
    })

  it('reads no more than it may, also of what was packed', async () => {
    const fetcher = fetcherFor(time, { maxBytes: 10_000 })
    web.serve(Buffer.alloc(10_001))
    await assert.rejects(fetcher.get(web.url('/'), { signal }), fails(/more than 10000 bytes/))
    web.serve(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' })
    await assert.rejects(fetcher.get(web.url('/'), { signal }), fails(/more than 10000 bytes/))
    web.serve(gzipSync('small'), { 'content-encoding': 'gzip' })
    assert.equal(String((await fetcher.get(web.url('/'), { signal }))?.body), 'small')
  })

  it('waits for a slow answer and a slow body only so long', async () => {
    const fetcher = fetcherFor(time, { timeoutMs: 100 })
    web.answer = () => undefined
    await assert.rejects(fetcher.get(web.url('/'), { signal }), fails(/within 100 ms/))
    web.answer = (_request, response) => response.write('first')
    await assert.rejects(fetcher.get(web.url('/'), { signal }), fails(/within 100 ms/))
  })

  it('ends at once when it is told to', async () => {
    const stopping = new AbortController()
    web.answer = () => stopping.abort()
    const get = fetcherFor(time).get(web.url('/'), { signal: stopping.signal })
    await assert.rejects(get, { name: 'AbortError' })
  })

  it('names no query in what it says: it may hold a secret', async () => {
    const error: unknown = await fetcherFor(time)
      .get(web.url('/feed?key=hunter2'), { signal })
      .catch((error: unknown) => error)
    assert.match(String(error), /\/feed answered 404/)
    assert.doesNotMatch(String(error), /hunter2/)
  })

  it('says that a host cannot be reached', async () => {
    const gone = new Web()
    await gone.open()
    const url = gone.url('/feed')
    await gone.close()
    await assert.rejects(fetcherFor(time).get(url, { signal }), fails(/ECONNREFUSED/))
  })

  it('gets over an answer that breaks off', async () => {
    web.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      response.destroy()
    }
    await assert.rejects(fetcherFor(time).get(web.url('/'), { signal }), SourceError)
  })
})

describe('retryAfterMs', () => {
  const nowMs = Date.parse('2024-03-05T10:00:00Z')
  for (const [header, expected] of [
    ['120', 120_000],
    [' 0 ', 0],
    ['Tue, 05 Mar 2024 10:01:00 GMT', 60_000],
    ['Tue, 05 Mar 2024 09:00:00 GMT', undefined],
    ['9999999999', 86_400_000],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ] as const)
    it(`takes ${JSON.stringify(header)} for ${expected}`, () => {
      assert.equal(retryAfterMs(header, nowMs), expected)
    })
})

describe('isInternalHost', () => {
  for (const [host, expected] of [
    ['127.0.0.1', true],
    ['10.1.2.3', true],
    ['169.254.169.254', true],
    ['192.168.0.1', true],
    ['172.31.0.1', true],
    ['[::1]', true],
    ['[fd00::1]', true],
    ['[::ffff:127.0.0.1]', true],
    ['localhost', true],
    ['localhost.', true],
    ['clickhouse', true],
    ['nas.lan', true],
    ['metadata.google.internal', true],
    ['172.32.0.1', false],
    ['8.8.8.8', false],
    ['[2001:db8::1]', false],
    ['wire.example', false],
  ] as const)
    it(`${expected ? 'knows' : 'passes'} ${host}`, () => {
      assert.equal(isInternalHost(host), expected)
    })
})
