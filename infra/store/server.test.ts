import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { AppError } from '../errors.ts'
import { sampleBlock } from './analyses.fixture.ts'
import { openServerStore } from './server.ts'
import type { Store } from './store.ts'

interface Request {
  readonly query: string
  readonly params: URLSearchParams
  readonly body: string
}

/** Answers as a server would that has run all migrations; `refusal` is what it says to the next insert. */
describe('a store on a server', () => {
  const requests: Request[] = []
  let refusal: string | undefined
  let server: Server
  let url: string
  let store: Store

  const answers: readonly [RegExp, readonly object[]][] = [
    [/FROM migrations/, [{ name: '0001-analyses.sql' }, { name: '0002-views.sql' }]],
    [/serverUUID/, [{ boot: 'the-server', engine: 'ReplicatedMergeTree' }]],
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
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const params = new URL(request.url ?? '', 'http://store').searchParams
        const body = Buffer.concat(chunks).toString()
        const query = params.get('query') ?? body
        requests.push({ query, params, body })
        if (refusal !== undefined && query.startsWith('INSERT'))
          response.writeHead(500).end(refusal)
        else response.end(answer(query))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    store = await openServerStore({ url })
  })
  after(async () => {
    await store.close()
    server.close()
  })
  beforeEach(() => {
    requests.length = 0
    refusal = undefined
  })

  it('takes its boot from the server, so that all writers share it, and sees replication', () => {
    assert.equal(store.boot, 'the-server')
    assert.equal(store.replicated, true)
  })

  it('sends a fenced insert with the rows as the body', async () => {
    const block = sampleBlock([{ offset: 42 }, { offset: 43 }], {
      token: 'posts@0/0/42/the-server/0',
    })
    assert.deepEqual(await store.insertBlock(block), { kind: 'acknowledged' })
    const sent = requests.at(-1)
    assert.equal(
      sent?.query,
      `INSERT INTO \`analyses\` (\`offset\`, \`seen\`)
SETTINGS async_insert = 0, insert_deduplicate = 1, min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 268435456, input_format_skip_unknown_fields = 0, max_execution_time = 120, insert_deduplication_token = {token:String}
SELECT \`offset\`, \`seen\` FROM input('\`offset\` Int64, \`seen\` DateTime64(3, \\'UTC\\')')
WHERE throwIf((SELECT if(count() = 0, -1, max(offset)) AS mark FROM analyses WHERE log_topic = {logTopic:String} AND partition = {partition:UInt32}) != {mark:Int64}, 'MARK_MOVED') = 0
FORMAT JSONEachRow`,
    )
    assert.equal(sent.body, block.rows.join('\n'))
    const bound = Object.fromEntries([...sent.params].filter(([name]) => name.startsWith('param_')))
    assert.deepEqual(bound, {
      param_logTopic: 'posts@0',
      param_partition: '0',
      param_mark: '41',
      param_token: block.token,
    })
  })

  it('sends no setting beside the statement', async () => {
    await store.insertBlock(sampleBlock([{ offset: 42 }]))
    await store.query('SELECT 1')
    const names = new Set(
      requests
        .flatMap((request) => [...request.params.keys()])
        .filter((name) => !name.startsWith('param_')),
    )
    assert.deepEqual(
      [...names].sort(),
      ['default_format', 'query', 'query_id'].filter((name) => names.has(name)),
    )
    assert.match(requests.at(-1)?.query ?? '', /^SELECT 1\nSETTINGS max_execution_time = 30/)
  })

  it('asks for 64-bit integers as numbers', async () => {
    assert.equal(await store.mark({ logTopic: 'posts@0', partition: 0 }), 41)
    assert.match(requests[0]?.query ?? '', /output_format_json_quote_64bit_integers = 0/)
  })

  it('tells a moved mark from an insert that may have landed', async () => {
    refusal =
      'Code: 395. DB::Exception: Value passed to throwIf: MARK_MOVED. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)'
    assert.deepEqual(await store.insertBlock(sampleBlock([{ offset: 42 }])), { kind: 'mark-moved' })
    refusal =
      'Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)'
    const outcome = await store.insertBlock(sampleBlock([{ offset: 42 }]))
    assert.ok(outcome.kind === 'unknown' && outcome.error instanceof AppError)
    assert.equal(outcome.error.code, 'DISK_FULL')
  })

  it('fails retryably when the server is gone', async () => {
    const gone = createServer()
    gone.listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    gone.close()
    await assert.rejects(
      openServerStore({ url: `http://127.0.0.1:${port}` }),
      (error) =>
        error instanceof AppError &&
        error.code === 'STORE' &&
        error.retryable &&
        error.message.includes(`127.0.0.1:${port}`),
    )
  })
})
