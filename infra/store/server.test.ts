import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type FaultProxy, startFaultProxy } from '../../tests/support/fault-proxy.fixture.ts'
import { AppError, type ErrorCode } from '../errors.ts'
import { sampleBlock, temporaryFolder } from './analyses.fixture.ts'
import { type HttpFront, startHttpFront } from './http-front.ts'
import { openServerStore } from './server.ts'
import { serverForm } from './statement-form.ts'
import type { InsertOutcome, Store } from './store.ts'
import { storeError } from './store-error.ts'

function failsWith(code: ErrorCode, retryable: boolean, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof AppError, String(error))
    assert.deepEqual([error.code, error.retryable], [code, retryable])
    assert.match(error.message, words)
    return true
  }
}

/** An address at which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

describe('a store on a server', () => {
  const folder = temporaryFolder()
  let front: HttpFront
  let proxy: FaultProxy
  let store: Store

  before(async () => {
    front = await startHttpFront({ path: folder.path, port: 0 })
    proxy = await startFaultProxy({ host: '127.0.0.1', port: Number(new URL(front.url).port) })
    store = await openServerStore({ url: `http://127.0.0.1:${proxy.port}` })
  })
  after(async () => {
    await store.close()
    await proxy.close()
    await front.close()
    folder.remove()
  })
  beforeEach(() => proxy.play())

  const inserts = (request: Buffer) => request.includes('INSERT INTO')
  const asksForMark = (request: Buffer) => request.includes('AS mark')
  const partition = { logTopic: 'posts@0', partition: 0 }
  const block = (offset: number) =>
    sampleBlock([{ offset }], { token: `posts@0/0/${offset}/${store.boot}/0` })
  const assertUnknown = (outcome: InsertOutcome) => {
    assert.ok(outcome.kind === 'unknown' && outcome.error instanceof AppError)
    assert.equal(outcome.error.retryable, true)
  }

  it('takes its boot from the server, so that all writers share it', async () => {
    const [row] = await store.query<{ id: string }>('SELECT toString(serverUUID()) AS id')
    assert.match(store.boot, /^[0-9a-f-]{36}$/)
    assert.equal(store.boot, row?.id)
    assert.equal(store.replicated, false)
  })

  it('does not know what became of an insert whose answer was lost; the mark does', async () => {
    const lost = proxy.strike('answer', inserts, 'cut')
    assertUnknown(await store.insertBlock(block(0)))
    await lost
    assert.equal(await store.mark(partition), 0)
    assert.deepEqual(await store.insertBlock(block(0)), { kind: 'mark-moved' })
  })

  it('stores nothing of an insert that was cut on its way, and all of it when it is repeated', async () => {
    const cut = proxy.strike('request', inserts, { cutAfter: 2_000 })
    assertUnknown(await store.insertBlock(block(1)))
    await cut
    assert.equal(await store.mark(partition), 0)
    assert.deepEqual(await store.insertBlock(block(1)), { kind: 'acknowledged' })
  })

  it('keeps to the token: the same block again stores nothing, and is acknowledged', async () => {
    const held = proxy.hold('answer', inserts)
    const slow = store.insertBlock(block(2))
    const { decide } = await held
    assert.equal(await store.mark(partition), 2)
    const second = { ...block(2), token: 'another' }
    assert.deepEqual(await store.insertBlock(second), { kind: 'mark-moved' })
    decide('reset')
    assertUnknown(await slow)
    const [row] = await store.query<{ rows: number }>('SELECT count() AS rows FROM analyses')
    assert.equal(row?.rows, 3)
  })

  it('asks again when the server had closed the connection, once', async () => {
    await store.mark(partition)
    const stale = proxy.strike('request', asksForMark, 'reset')
    assert.equal(await store.mark(partition), 2)
    await stale
    proxy.play((moment) => (asksForMark(moment.request) ? 'reset' : 'pass'))
    await assert.rejects(store.mark(partition), failsWith('STORE', true, /ECONNRESET|EPIPE/))
  })

  it('says so, retryably, while nobody listens, and goes on when somebody does', async () => {
    await proxy.refuse()
    await assert.rejects(store.mark(partition), failsWith('STORE', true, /ECONNREFUSED/))
    assertUnknown(await store.insertBlock(block(3)))
    await proxy.accept()
    assert.equal(await store.mark(partition), 2)
  })

  const lengths = [10, 1_000, 100_000, 400_000]
  for (const length of lengths)
    it(`finds one of ${length} ids`, async () => {
      const ids = Array.from({ length: length / 10 }, (_, at) => `é'${at}\t`.padEnd(10, '\\'))
      const [row] = await store.query<{ found: number }>(
        'SELECT indexOf({ids:Array(String)}, {id:String}) AS found',
        { ids, id: ids.at(-1) },
      )
      assert.equal(row?.found, ids.length)
    })

  it('keeps every URL below the 8 KiB that proxies take, and values out of it once they are many', async () => {
    const urls: string[] = []
    proxy.play(({ at, request }) => {
      if (at === 'request') urls.push(request.toString().split('\r\n')[0] ?? '')
      return 'pass'
    })
    await store.insertBlock(block(3))
    await store.query('SELECT {text:String} AS text', { text: '\u{1f4c9}'.repeat(2_000) })
    assert.equal(urls.length, 2)
    for (const url of urls) assert.ok(url.length < 2_000, url.slice(0, 100))
  })

  it('answers an analyst’s tree without escapes', async () => {
    const tree = await store.syntaxTree("SELECT 'it''s \\\\', `a\tb` FROM t")
    assert.ok(
      tree.some((line) => line.includes("Literal 'it\\'s \\\\'")),
      tree.join('\n'),
    )
    assert.ok(
      tree.some((line) => line.includes('Identifier a\tb')),
      tree.join('\n'),
    )
  })

  it('names a wrong password, and a database that is not there', async () => {
    const guarded = await startHttpFront({
      path: folder.path,
      port: 0,
      users: new Map([['monitor', 'right']]),
    })
    const { host } = new URL(guarded.url)
    await assert.rejects(
      openServerStore({ url: `http://monitor:wrong@${host}` }),
      failsWith('STORE', false, /AUTHENTICATION_FAILED/),
    )
    await assert.rejects(
      openServerStore({ url: `http://monitor:right@${host}/nosuch` }),
      failsWith('STORE', false, /UNKNOWN_DATABASE/),
    )
    await (await openServerStore({ url: `http://monitor:right@${host}` })).close()
    await guarded.close()
  })

  const noAddresses = ['', 'localhost:8123', 'ftp://host:8123', 'http://host:8123?nosuch=1']
  for (const url of noAddresses)
    it(`refuses '${url}' as an address`, async () => {
      await assert.rejects(
        openServerStore({ url }),
        failsWith('CONFIG', false, /must be an address like/),
      )
    })

  it('fails retryably when the server is gone', async () => {
    const port = await freePort()
    await assert.rejects(
      openServerStore({ url: `http://127.0.0.1:${port}` }),
      failsWith(
        'STORE',
        true,
        new RegExp(`127.0.0.1:${port}.*ECONNREFUSED.*: check host, port,.* of CLICKHOUSE_URL`),
      ),
    )
  })

  const passing = [
    ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN clickhouse'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND clickhouse'],
    ['ETIMEDOUT', 'connect ETIMEDOUT 10.0.0.1:8123'],
    ['EHOSTUNREACH', 'connect EHOSTUNREACH 10.0.0.1:8123'],
  ] as const
  for (const [code, words] of passing)
    it(`takes ${code} for something that passes`, () => {
      const error = storeError(Object.assign(new Error(words), { code }), 'answer', 'clickhouse')
      assert.deepEqual([error.code, error.retryable], ['STORE', true])
    })

  it('does not wait for ever for an answer that is lost', async () => {
    await assert.rejects(
      serverForm.within(-9_990, () => new Promise(() => undefined)),
      failsWith('STORE', true, /did not answer within 0.01 s/),
    )
  })
})

interface Request {
  readonly query: string
  readonly params: URLSearchParams
}

/** What the engine here cannot be: replicated, full, or a server that answers before it is done. Answers as if all migrations had run. */
describe('a store on another server', () => {
  const requests: Request[] = []
  let refusal: string | undefined
  let server: Server
  let store: Store

  const answers: readonly [RegExp, readonly object[]][] = [
    [/FROM migrations/, [{ name: '0001-analyses.sql' }]],
    [/serverUUID/, [{ serverId: 'one-of-two', engine: 'ReplicatedMergeTree' }]],
    [
      /FROM system.columns/,
      [
        { name: 'offset', type: 'Int64' },
        { name: 'seen', type: "DateTime64(3, 'UTC')" },
      ],
    ],
    [/SELECT if\(count\(\) = 0/, [{ mark: 41 }]],
  ]
  const answer = (query: string): string => {
    const known = query.startsWith('INSERT') ? undefined : answers.find(([ask]) => ask.test(query))
    return (known?.[1] ?? []).map((row) => `${JSON.stringify(row)}\n`).join('')
  }

  before(async () => {
    server = createHttpServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const params = new URL(request.url ?? '', 'http://store').searchParams
        const query = Buffer.concat(chunks).toString()
        requests.push({ query, params })
        if (refusal !== undefined && query.startsWith('INSERT'))
          response.writeHead(500).end(refusal)
        else response.end(answer(query))
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    store = await openServerStore({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    })
  })
  after(async () => {
    await store.close()
    server.close()
  })
  beforeEach(() => {
    requests.length = 0
    refusal = undefined
  })

  it('shares its tokens with the writers on other replicas', () => {
    assert.equal(store.boot, 'replicas')
    assert.equal(store.replicated, true)
  })

  it('sends a fenced insert with its rows behind the statement', async () => {
    const block = sampleBlock([{ offset: 42 }, { offset: 43 }], { token: "posts@0/0/42/it's/0" })
    assert.deepEqual(await store.insertBlock(block), { kind: 'acknowledged' })
    const sent = requests.at(-1)
    assert.equal(
      sent?.query,
      `INSERT INTO \`analyses\` (\`offset\`, \`seen\`)
SETTINGS async_insert = 0, insert_deduplicate = 1, min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 268435456, input_format_skip_unknown_fields = 0, max_execution_time = 120, insert_deduplication_token = 'posts@0/0/42/it\\'s/0'
SELECT \`offset\`, \`seen\` FROM input('\`offset\` Int64, \`seen\` DateTime64(3, \\'UTC\\')')
WHERE throwIf((SELECT if(count() = 0, -1, max(offset)) AS mark FROM analyses WHERE log_topic = {logTopic:String} AND partition = {partition:UInt32}) != {mark:Int64}, 'MARK_MOVED') = 0
FORMAT JSONEachRow
${block.rows.join('\n')}`,
    )
    const beside = Object.fromEntries([...sent.params].filter(([name]) => name !== 'query_id'))
    assert.deepEqual(beside, {
      param_logTopic: 'posts@0',
      param_partition: '0',
      param_mark: '41',
    })
  })

  it('asks for whole results and 64-bit integers as numbers', async () => {
    assert.equal(await store.mark({ logTopic: 'posts@0', partition: 0 }), 41)
    assert.equal(requests[0]?.params.get('wait_end_of_query'), '1')
    assert.match(requests[0]?.query ?? '', /output_format_json_quote_64bit_integers = 0/)
  })

  it('tells a moved mark from a full disk', async () => {
    refusal =
      'Code: 395. DB::Exception: Value passed to throwIf: MARK_MOVED. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)'
    assert.deepEqual(await store.insertBlock(sampleBlock([{ offset: 42 }])), { kind: 'mark-moved' })
    refusal =
      'Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)'
    const outcome = await store.insertBlock(sampleBlock([{ offset: 42 }]))
    assert.ok(outcome.kind === 'unknown' && outcome.error instanceof AppError)
    assert.equal(outcome.error.code, 'DISK_FULL')
  })
})

describe('a long command on a server', () => {
  it('takes hundreds of lines of progress as no answer yet', async () => {
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.once('data', (request: Buffer) => {
        const [line] = request.toString().split('\r\n')
        if (!line?.includes('send_progress_in_http_headers=1')) {
          socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
          return
        }
        socket.write('HTTP/1.1 200 OK\r\n')
        const progress = `X-ClickHouse-Progress: {"read_rows":"${'9'.repeat(180)}"}\r\n`
        for (let minute = 0; minute < 300; minute += 1) socket.write(progress)
        socket.end('Connection: close\r\nContent-Length: 0\r\n\r\n')
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const store = await openServerStore({ url: `http://127.0.0.1:${port}` })
    await store.command('ALTER TABLE analyses UPDATE text = 1 WHERE 1')
    assert.ok(sockets.length > 1)
    await store.close()
    server.close()
  })
})
