import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Counter, Registry } from 'prom-client'
import Type from 'typebox'
import { AppError } from '../infra/errors.ts'
import { silentLogger } from '../infra/logger.ts'
import { createServer, listen } from './server.ts'

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

describe('createServer', () => {
  const metrics = new Registry()
  let ready = true
  let server: FastifyInstance
  let port: number

  /** With node:http, because fetch sets Host by itself. */
  async function send(
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    const { method = 'GET', headers = {}, body } = options
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false })
    sent.end(body)
    const [response] = await once(sent, 'response')
    const text = Buffer.concat(await response.toArray()).toString()
    return { status: response.statusCode, headers: response.headers, body: text }
  }

  before(async () => {
    new Counter({ name: 'posts_total', help: 'Posts.', registers: [metrics] }).inc(3)
    server = createServer({
      logger: silentLogger,
      version: '1.2.3',
      instance: 'test',
      metrics,
      readiness: () => ({ ready, checks: { store: ready ? 'open' : 'opening' } }),
      bodyLimitBytes: 1_000,
    })
    void server.register((scope, _options, done) => {
      scope.get('/boom', () => {
        throw new Error('secret of the inside')
      })
      scope.get('/full', () => {
        throw new AppError('LOG_FULL', 'The log is full', { retryable: true })
      })
      scope.post(
        '/echo',
        { schema: { body: Type.Object({ n: Type.Number() }, { additionalProperties: false }) } },
        async (call) => call.body,
      )
      done()
    })
    port = Number(new URL(await listen(server, { host: '127.0.0.1', port: 0 })).port)
  })
  after(() => server.close())

  const json = { 'content-type': 'application/json' }
  const refusals: readonly {
    readonly name: string
    readonly path: string
    readonly options?: Parameters<typeof send>[1]
    readonly status: number
    readonly code: string
  }[] = [
    { name: 'an unknown address', path: '/nothing', status: 404, code: 'NOT_FOUND' },
    { name: 'a bug', path: '/boom', status: 500, code: 'INTERNAL' },
    { name: 'a full log', path: '/full', status: 503, code: 'LOG_FULL' },
    {
      name: 'a wrong body',
      path: '/echo',
      options: { method: 'POST', headers: json, body: '{"n":"x"}' },
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      name: 'an unknown key',
      path: '/echo',
      options: { method: 'POST', headers: json, body: '{"n":1,"m":2}' },
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      name: 'broken JSON',
      path: '/echo',
      options: { method: 'POST', headers: json, body: '{' },
      status: 400,
      code: 'BAD_REQUEST',
    },
    {
      name: 'a large body',
      path: '/echo',
      options: { method: 'POST', headers: json, body: `{"n":1${' '.repeat(1_000)}}` },
      status: 413,
      code: 'TOO_LARGE',
    },
    {
      name: 'another type of body',
      path: '/echo',
      options: { method: 'POST', headers: { 'content-type': 'text/html' }, body: 'x' },
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
    },
    {
      name: 'the Host of a rebound name',
      path: '/healthz',
      options: { headers: { host: 'evil.example' } },
      status: 403,
      code: 'FORBIDDEN_HOST',
    },
    {
      name: 'a Host that only begins like ours',
      path: '/healthz',
      options: { headers: { host: '127.0.0.1.evil.example:80' } },
      status: 403,
      code: 'FORBIDDEN_HOST',
    },
    {
      name: 'a POST from another origin',
      path: '/echo',
      options: {
        method: 'POST',
        headers: { ...json, origin: 'http://evil.example' },
        body: '{"n":1}',
      },
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
    },
    {
      name: 'a POST from a page without an origin',
      path: '/echo',
      options: { method: 'POST', headers: { ...json, origin: 'null' }, body: '{"n":1}' },
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
    },
    {
      name: 'a POST from another port of this host',
      path: '/echo',
      options: {
        method: 'POST',
        headers: { ...json, origin: 'http://127.0.0.1:1' },
        body: '{"n":1}',
      },
      status: 403,
      code: 'FORBIDDEN_ORIGIN',
    },
  ]
  for (const { name, path, options, status, code } of refusals)
    it(`answers ${name} with ${status} ${code} and nothing of the inside`, async () => {
      const answer = await send(path, options)
      assert.equal(answer.status, status, answer.body)
      const { error, ...rest } = JSON.parse(answer.body)
      assert.deepEqual([error.code, rest], [code, {}])
      assert.doesNotMatch(answer.body, /secret|\.js|at /)
    })

  it('takes a POST of its own page and of a program', async () => {
    for (const origin of [{}, { origin: `http://localhost:${port}`, host: `localhost:${port}` }]) {
      const headers: Record<string, string> = { ...json, ...origin }
      const answer = await send('/echo', { method: 'POST', headers, body: '{"n":1}' })
      assert.deepEqual([answer.status, answer.body], [200, '{"n":1}'])
    }
  })

  it('sends a strict policy and a request id with every answer', async () => {
    const [first, second] = [await send('/nothing'), await send('/healthz')]
    const policy = String(first.headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.notEqual(first.headers['x-request-id'], second.headers['x-request-id'])
  })

  it('tells health, readiness, metrics and its OpenAPI document', async () => {
    assert.equal((await send('/healthz')).status, 200)
    assert.equal((await send('/readyz')).status, 200)
    ready = false
    const waiting = await send('/readyz')
    ready = true
    assert.deepEqual([waiting.status, JSON.parse(waiting.body).checks.store], [503, 'opening'])
    assert.match((await send('/metrics')).body, /posts_total 3/)
    const document = JSON.parse((await send('/api/openapi.json')).body)
    assert.equal(document.info.version, '1.2.3')
    assert.ok('/echo' in document.paths)
  })

  it('names the fix when the port is in use', async () => {
    const other = createServer({
      logger: silentLogger,
      version: '1',
      instance: 'other',
      metrics,
      readiness: () => ({ ready: true, checks: {} }),
    })
    await assert.rejects(
      listen(other, { host: '127.0.0.1', port }),
      (error: unknown) =>
        error instanceof AppError &&
        error.code === 'PORT_IN_USE' &&
        /HTTP_PORT/.test(error.message),
    )
    await other.close()
  })

  it('refuses to listen beyond loopback', async () => {
    await assert.rejects(listen(server, { host: '0.0.0.0', port: 0 }), { code: 'CONFIG' })
  })
})
