import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { deferred } from '../infra/log/log.fixture.ts'
import { forwardRoutes } from './forwarding.ts'
import { type Monitor, startMonitor } from './monitor.fixture.ts'

describe('forwarding', () => {
  const asked: { readonly request: IncomingMessage; readonly body: string }[] = []
  let role: Server
  let pages: Monitor

  before(async () => {
    role = createServer(async (request, response) => {
      asked.push({ request, body: await text(request) })
      const headers = {
        'content-type': 'application/json',
        'set-cookie': 'a=b',
        'retry-after': '5',
      }
      response.writeHead(503, headers).end('{"rows":[]}')
    }).listen(0, '127.0.0.1')
    await once(role, 'listening')
    const url = `http://127.0.0.1:${(role.address() as AddressInfo).port}`
    const away = createServer().listen(0, '127.0.0.1')
    await once(away, 'listening')
    const { port } = away.address() as AddressInfo
    away.close()
    await once(away, 'close')
    pages = await startMonitor([
      forwardRoutes({ ingest: url, pipeline: `http://127.0.0.1:${port}`, alerts: '' }),
    ])
  })
  after(async () => {
    await pages.close()
    role.close()
  })

  it('brings body, query and answer through, and of the headers what the body needs', async () => {
    const answer = await fetch(`${pages.url}/api/posts?dry=1`, {
      method: 'POST',
      body: '{"id":"1"}\n{"id":"2"}\n',
      headers: {
        'content-type': 'application/x-ndjson',
        origin: pages.url,
        cookie: 'session=mine',
        authorization: 'Bearer mine',
        'x-forwarded-for': '10.0.0.1',
      },
    })
    assert.equal(answer.status, 503)
    assert.equal(answer.headers.get('retry-after'), '5')
    assert.equal(answer.headers.get('set-cookie'), null)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.equal(await answer.text(), '{"rows":[]}')
    const [{ request, body } = { request: undefined, body: '' }] = asked.splice(0)
    assert.equal(request?.url, '/api/posts?dry=1')
    assert.equal(body, '{"id":"1"}\n{"id":"2"}\n')
    assert.deepEqual(Object.keys(request?.headers ?? {}).toSorted(), [
      'accept',
      'connection',
      'content-length',
      'content-type',
      'host',
    ])
    assert.equal(request?.headers.host, `127.0.0.1:${(role.address() as AddressInfo).port}`)
  })

  it('sends a body on while it comes', async () => {
    const arrived = deferred<string>()
    role.removeAllListeners('request')
    role.on('request', (request: IncomingMessage, response) => {
      request.once('data', (chunk) => arrived.resolve(String(chunk)))
      request.once('end', () => response.end('{}'))
    })
    const rest = deferred()
    async function* chunks() {
      yield Buffer.from('first')
      await rest.promise
      yield Buffer.from('second')
    }
    const answer = fetch(`${pages.url}/api/posts`, {
      method: 'POST',
      body: ReadableStream.from(chunks()),
      duplex: 'half',
      headers: { 'content-type': 'application/x-ndjson' },
    } as RequestInit)
    assert.equal(await arrived.promise, 'first')
    rest.resolve()
    assert.equal((await answer).status, 200)
  })

  const away = [
    {
      name: 'a role that is down',
      path: '/api/labels/next',
      says: /pipeline does not answer.*ECONNREFUSED/,
    },
    { name: 'a role without an address', path: '/api/alerts', says: /FORWARD_ALERTS_URL/ },
  ]
  for (const { name, path, says } of away)
    it(`says so of ${name}`, async () => {
      const answer = await fetch(`${pages.url}${path}`)
      assert.equal(answer.status, 503)
      const { error } = (await answer.json()) as { error: { code: string; message: string } }
      assert.equal(error.code, 'ROLE_AWAY')
      assert.match(error.message, says)
    })

  it('leaves the questions of the pages alone, and refuses other origins itself', async () => {
    assert.equal((await fetch(`${pages.url}/api/posts`)).status, 404)
    const foreign = await fetch(`${pages.url}/api/posts`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
    })
    assert.equal(foreign.status, 403)
  })
})
