import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import fastifySwagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import { AppError } from '../infra/errors.ts'
import { silentLogger } from '../infra/logger.ts'
import { maxPostBytes, type Post } from './contract.ts'
import { createIngest, type Ingest } from './main.ts'
import { maxJsonBytes, type PushResult } from './push.ts'
import { ScriptedLog } from './scripted-log.fixture.ts'

const now = Date.parse('2026-11-24T12:00:00Z')

function post(id: string, fields: Partial<Post> = {}): Post {
  const publishedAt = '2026-11-24T11:00:00.000Z'
  return { id, source: 'wire', kind: 'news', text: `Profit of ${id} falls`, publishedAt, ...fields }
}

const ndjson = (...rows: unknown[]) =>
  rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n')

let log: ScriptedLog
let ingest: Ingest
let server: FastifyInstance
let url: string

before(async () => {
  const forwarding = {
    append: (...args: Parameters<ScriptedLog['append']>) => log.append(...args),
  }
  ingest = createIngest({
    log: forwarding,
    clock: () => now,
    logger: silentLogger,
    limits: { maxRows: 5_000, chunkRecords: 100, maxQueuedBytes: 1_048_576 },
  })
  server = Fastify()
  await server.register(fastifySwagger, { openapi: {} })
  await server.register(ingest.plugin)
  url = await server.listen({ port: 0 })
})
beforeEach(async () => {
  log = new ScriptedLog()
  await ingest.start()
})
after(() => server.close())

async function push(body: string | Uint8Array, type: string) {
  const response = await fetch(`${url}/api/posts`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  })
  const result = (await response.json()) as PushResult & { message?: string }
  return { status: response.status, headers: response.headers, result }
}
const pushJson = (value: unknown) => push(JSON.stringify(value), 'application/json')
const pushLines = (body: string | Uint8Array) => push(body, 'application/x-ndjson')
const requestLine = 'POST /api/posts HTTP/1.1\r\nhost: x\r\n'
async function opened(): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}
const stored = () => log.records.map(({ value }) => JSON.parse(value.toString()) as Post)
const verdicts = ({ rows }: PushResult) => rows.map(({ verdict }) => verdict)

describe('POST /api/posts', () => {
  it('takes one post, keyed by its id', async () => {
    const { status, result } = await pushJson(post('1'))
    assert.equal(status, 202)
    const position = { partition: 0, offset: 0 }
    assert.deepEqual(result, {
      accepted: 1,
      refused: 0,
      retry: 0,
      cutOff: false,
      rows: [{ index: 0, id: '1', verdict: 'accepted', position }],
    })
    assert.deepEqual(log.records[0]?.key, '1')
    assert.deepEqual(stored(), [post('1')])
  })

  it('takes an array, and the good rows of a mixed one', async () => {
    assert.equal((await pushJson([post('1'), post('2')])).status, 202)
    const { status, result } = await pushJson([post('3'), { id: 4 }, null, post('5')])
    assert.equal(status, 200)
    assert.deepEqual(verdicts(result), ['accepted', 'refused', 'refused', 'accepted'])
    assert.match(result.rows[1]?.reason ?? '', /id: must be string/)
    assert.deepEqual(
      stored().map(({ id }) => id),
      ['1', '2', '3', '5'],
    )
  })

  it('takes an empty array', async () => {
    assert.equal((await pushJson([])).status, 202)
  })

  it('takes NDJSON with blank lines, CRLF and no end of line', async () => {
    const { status, result } = await pushLines(
      `${ndjson(post('1'), '', '  ')}\r\n${ndjson(post('2'))}`,
    )
    assert.equal(status, 202)
    assert.deepEqual(
      result.rows.map(({ index, id }) => [index, id]),
      [
        [0, '1'],
        [1, '2'],
      ],
    )
  })

  it('appends 2,000 rows in order', async () => {
    const rows = Array.from({ length: 2_000 }, (_, n) => post(String(n)))
    const { status, result } = await pushLines(ndjson(...rows))
    assert.equal(status, 202)
    assert.deepEqual(stored(), rows)
    assert.deepEqual(
      result.rows.map(({ position }) => position?.offset),
      rows.map((_, n) => n),
    )
  })
})

const badLines: { name: string; line: string | Uint8Array; reason: RegExp }[] = [
  { name: 'invalid JSON', line: '{"id": "1", secret', reason: /^not valid JSON at position 12$/ },
  { name: 'NaN', line: ndjson(post('x')).replace('"x"', 'NaN'), reason: /^not valid JSON/ },
  {
    name: 'a number beyond double',
    line: ndjson(post('x')).replace('"x"', '1e999'),
    reason: /^id: must be string$/,
  },
  { name: 'wrong type', line: ndjson({ ...post('x'), text: 1 }), reason: /^text: must be string$/ },
  {
    name: 'missing text',
    line: ndjson({ ...post('x'), text: undefined }),
    reason: /^missing: text$/,
  },
  {
    name: 'too long text',
    line: ndjson(post('x', { text: 'x'.repeat(20_001) })),
    reason: /^text: .*20000/,
  },
  {
    name: 'impossible date',
    line: ndjson(post('x', { publishedAt: '2020-02-30T00:00:00Z' })),
    reason: /^publishedAt: not/,
  },
  {
    name: 'future date',
    line: ndjson(post('x', { publishedAt: '2026-11-24T12:06:00Z' })),
    reason: /^publishedAt: more than 5 minutes/,
  },
  { name: 'not UTF-8', line: Buffer.from([0x7b, 0xff]), reason: /^not valid UTF-8$/ },
  {
    name: 'a 10 MB line',
    line: Buffer.alloc(10e6, 'x'),
    reason: new RegExp(`^larger than ${maxPostBytes} bytes$`),
  },
  {
    name: 'a 10 MB text',
    line: ndjson(post('x', { text: 'x'.repeat(10e6) })),
    reason: /^larger than/,
  },
]

describe('a bad row is refused with a reason and the others go on', () => {
  for (const { name, line, reason } of badLines)
    it(name, async () => {
      const around = [Buffer.from(`${ndjson(post('1'))}\n`), Buffer.from(`\n${ndjson(post('2'))}`)]
      const body = Buffer.concat(
        [around[0] ?? '', Buffer.from(line), around[1] ?? ''].map(Buffer.from),
      )
      const { status, result } = await pushLines(body)
      assert.equal(status, 200)
      assert.deepEqual(verdicts(result), ['accepted', 'refused', 'accepted'])
      assert.match(result.rows[1]?.reason ?? '', reason)
      assert.deepEqual(
        stored().map(({ id }) => id),
        ['1', '2'],
      )
    })

  it('alone: 400 and nothing appended', async () => {
    for (const { line } of badLines) assert.equal((await pushLines(line)).status, 400)
    assert.deepEqual(log.records, [])
  })

  it('harmless though odd text goes through unchanged, lone surrogates repaired', async () => {
    const text = '\u0000\u202e\u200b<script>alert("1")</script>'
    assert.equal(
      (await pushLines(ndjson(post('1', { text }), post('2', { text: 'a\ud800' })))).status,
      202,
    )
    assert.deepEqual(
      stored().map((row) => row.text),
      [text, 'a\ufffd'],
    )
  })
})

describe('a request that cannot be taken', () => {
  const cases = [
    { name: 'invalid JSON', body: '{"id": secret', type: 'application/json', status: 400 },
    { name: 'an empty body', body: '', type: 'application/json', status: 400 },
    { name: 'plain text', body: ndjson(post('1')), type: 'text/plain', status: 415 },
    { name: 'a form', body: 'id=1', type: 'application/x-www-form-urlencoded', status: 415 },
  ]
  for (const { name, body, type, status } of cases)
    it(`${name}: ${status}`, async () => {
      const answer = await push(body, type)
      assert.equal(answer.status, status)
      assert.ok(!JSON.stringify(answer.result).includes('secret'))
      assert.deepEqual(log.records, [])
    })

  it('of more JSON than allowed: 413 before it is sent', async () => {
    const socket = await opened()
    const length = `content-length: ${maxJsonBytes + 1}`
    socket.write(`${requestLine}content-type: application/json\r\n${length}\r\n\r\n`)
    assert.match(await text(socket), /^HTTP\/1.1 413 /)
  })

  it('without a media type: 415, so that no page of another origin can push', async () => {
    const response = await fetch(`${url}/api/posts`, {
      method: 'POST',
      body: new Blob([ndjson(post('1'))]),
    })
    assert.equal(response.status, 415)
  })

  it('of more rows than allowed: 413, the first ones judged, the rest thrown away', async () => {
    const rows = Array.from({ length: 6_000 }, (_, n) => post(String(n)))
    const { status, result } = await pushLines(ndjson(...rows))
    assert.equal(status, 413)
    assert.equal(result.cutOff, true)
    assert.equal(result.accepted, 5_000)
    assert.equal(log.records.length, 5_000)
  })
})

describe('when the log does not take rows', () => {
  const full = () => {
    throw new AppError('LOG_FULL', 'full', { retryable: true })
  }

  it('full: 503 with Retry-After and every valid row to retry', async () => {
    log.before = full
    const { status, headers, result } = await pushJson([post('1'), {}])
    assert.equal(status, 503)
    assert.ok(Number(headers.get('retry-after')) > 0)
    assert.deepEqual(verdicts(result), ['retry', 'refused'])
  })

  it('full half-way: rows before it keep their verdict, none after it is taken', async () => {
    log.before = (call) => (call === 1 ? full() : undefined)
    const { status, result } = await pushJson(
      Array.from({ length: 450 }, (_, n) => post(String(n))),
    )
    assert.equal(status, 503)
    assert.deepEqual([result.accepted, result.retry], [100, 350])
    assert.equal(log.records.length, 100)
    assert.ok(result.rows.slice(0, 100).every(({ verdict }) => verdict === 'accepted'))
  })

  it('too much queued: 503 for the next, and the queue goes on', async () => {
    const held = log.hold()
    const large = Array.from({ length: 99 }, (_, n) => post(String(n), { text: 'x'.repeat(8_000) }))
    const first = pushJson(large)
    await held.entered
    const second = await pushJson(large)
    held.release()
    assert.equal(second.status, 503)
    assert.equal((await first).status, 202)
    assert.equal((await pushJson(large)).status, 202)
  })

  it('stopped: waits for what is under way, then 503', async () => {
    const held = log.hold()
    const first = pushJson(post('1'))
    await held.entered
    const stopped = ingest.stop()
    assert.equal((await pushJson(post('2'))).status, 503)
    held.release()
    await stopped
    assert.equal(log.records.length, 1)
    assert.equal((await first).status, 202)
    await ingest.stop()
  })
})

describe('NDJSON as it comes', () => {
  it('goes to the log before the request ends', async () => {
    const held = log.hold()
    const socket = await opened()
    const head = `${requestLine}content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n`
    const line = `${ndjson(post('1'))}\n`
    socket.write(`${head}${line.length.toString(16)}\r\n${line}\r\n`)
    await held.entered
    socket.destroy()
    held.release()
  })
})

describe('OpenAPI document', () => {
  it('describes bodies, verdicts and every status', () => {
    const document = server.swagger() as unknown as {
      paths: Record<
        string,
        { post: { requestBody: { content: object }; responses: Record<string, object> } }
      >
    }
    const operation = document.paths['/api/posts']?.post
    assert.deepEqual(Object.keys(operation?.requestBody.content ?? {}), [
      'application/json',
      'application/x-ndjson',
    ])
    assert.deepEqual(Object.keys(operation?.responses ?? {}), [
      '200',
      '202',
      '400',
      '413',
      '415',
      '503',
    ])
    assert.match(JSON.stringify(operation?.responses['503']), /Retry-After.*/)
    assert.match(JSON.stringify(operation?.responses['202']), /position/)
  })
})
