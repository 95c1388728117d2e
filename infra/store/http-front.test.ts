import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { temporaryFolder } from './analyses.fixture.ts'
import { startFrontProcess } from './http-front.fixture.ts'
import { type HttpFront, startHttpFront } from './http-front.ts'
import { openServerStore } from './server.ts'

describe('the HTTP front', () => {
  const folder = temporaryFolder()
  let front: HttpFront

  before(async () => {
    front = await startHttpFront({ path: folder.path, port: 0 })
    await ask('', 'CREATE TABLE kept (id UInt32, text String) ENGINE = MergeTree ORDER BY id')
  })
  after(async () => {
    await front.close()
    folder.remove()
  })

  async function ask(search: string, body?: string | Buffer | FormData, headers = {}) {
    const method = body === undefined ? 'GET' : 'POST'
    const init = { method, headers, ...(body === undefined ? {} : { body }) }
    const response = await fetch(`${front.url}/${search}`, init)
    const code = Number(response.headers.get('x-clickhouse-exception-code') ?? 0)
    return { status: response.status, code, text: await response.text(), headers: response.headers }
  }
  const stored = async () => (await ask('', 'SELECT text FROM kept ORDER BY id')).text

  it('says that it lives', async () => {
    for (const path of ['', 'ping', 'replicas_status'])
      assert.equal((await ask(path)).text, 'Ok.\n', path)
    assert.equal((await ask('nosuch')).status, 404)
  })

  const form = (fields: Readonly<Record<string, string>>): FormData => {
    const filled = new FormData()
    for (const [name, value] of Object.entries(fields)) filled.append(name, value)
    return filled
  }
  const answers = [
    { name: 'a query of the URL', search: '?query=SELECT+1', body: undefined, text: '1\n' },
    { name: 'a query of the body', search: '', body: 'SELECT 1, 2', text: '1\t2\n' },
    { name: 'both, one behind the other', search: '?query=SELECT', body: '7', text: '7\n' },
    {
      name: 'a format, asked for',
      search: '?default_format=JSONEachRow',
      body: 'SELECT 1 AS a',
      text: '{"a":1}\n',
    },
    {
      name: 'a text with escapes',
      search: "?param_a=it\\'s%20{a:String}\\t\\\\",
      body: "SELECT {a:String} = 'it\\'s {a:String}\\t\\\\', '{a:String}' -- {b:UInt8}",
      text: '1\t{a:String}\n',
    },
    {
      name: 'numbers, lists, nothing and names',
      search: "?param_n=7&param_l=['x\\'y']&param_z=\\N&param_t=kept",
      body: 'SELECT {n:Int64}, {l:Array(String)}, {z:Nullable(UInt8)}, count() FROM {t:Identifier}',
      text: "7\t['x\\'y']\t\\N\t0\n",
    },
    {
      name: 'a form',
      search: '',
      body: form({ query: 'SELECT {a:String}', param_a: 'in a form' }),
      text: 'in a form\n',
    },
    {
      name: 'settings, for one statement',
      search: '?max_threads=1&database=system',
      body: "SELECT value FROM settings WHERE name = 'max_threads'",
      text: '1\n',
    },
    {
      name: 'none of them in the next',
      search: '',
      body: "SELECT changed, currentDatabase() FROM system.settings WHERE name = 'max_threads'",
      text: '0\tdefault\n',
    },
    { name: 'a statement with its end', search: '', body: 'SELECT 1; -- done', text: '1\n' },
  ]
  for (const { name, search, body, text } of answers)
    it(`answers ${name}`, async () => {
      const answer = await ask(search, body)
      assert.deepEqual([answer.status, answer.text], [200, text])
    })

  it('names query and format, and packs what it is asked to', async () => {
    const { headers, text } = await ask(
      '?query_id=mine%0d%0a&enable_http_compression=1',
      gzipSync('SELECT 1 AS a FORMAT JSONEachRow'),
      { 'content-encoding': 'gzip', 'accept-encoding': 'gzip' },
    )
    assert.equal(text, '{"a":1}\n')
    assert.equal(headers.get('x-clickhouse-query-id'), 'mine??')
    assert.equal(headers.get('x-clickhouse-format'), 'JSONEachRow')
    assert.equal(headers.get('content-encoding'), 'gzip')
  })

  const refusals = [
    { name: 'an unknown table', search: '', body: 'SELECT * FROM nosuch', status: 404, code: 60 },
    { name: 'no SQL', search: '', body: 'SELECT (1', status: 400, code: 62 },
    { name: 'two statements', search: '', body: 'SELECT 1; SELECT 2', status: 400, code: 62 },
    { name: 'an unknown setting', search: '?nosuch=1', body: 'SELECT 1', status: 404, code: 115 },
    {
      name: 'a query that takes too long',
      search: '?max_execution_time=0.1',
      body: 'SELECT sum(sleepEachRow(0.05)) FROM numbers(9)',
      status: 408,
      code: 159,
    },
    {
      name: 'a parameter without value',
      search: '',
      body: 'SELECT {a:Int8}',
      status: 500,
      code: 456,
    },
    {
      name: 'a change by GET',
      search: '?query=DROP+TABLE+kept',
      body: undefined,
      status: 500,
      code: 164,
    },
    {
      name: 'a long statement',
      search: '',
      body: `SELECT '${'x'.repeat(262_144)}'`,
      status: 400,
      code: 62,
    },
    {
      name: 'a long field of a URL',
      search: `?param_a=${'x'.repeat(131_073)}`,
      body: 'SELECT {a:String}',
      status: 500,
      code: 1000,
    },
    {
      name: 'a long field of a form',
      search: '',
      body: form({ query: 'SELECT {a:String}', param_a: 'x'.repeat(131_073) }),
      status: 500,
      code: 1000,
    },
    {
      name: 'a long URL',
      search: `?${Array.from({ length: 9 }, (_, n) => `param_${n}=${'x'.repeat(130_000)}`).join('&')}`,
      body: 'SELECT 1',
      status: 400,
      code: 0,
    },
    { name: 'a session', search: '?session_id=1', body: 'SELECT 1', status: 501, code: 48 },
  ]
  for (const { name, search, body, status, code } of refusals)
    it(`refuses ${name}`, async () => {
      const answer = await ask(search, body)
      assert.deepEqual([answer.status, answer.code], [status, code], answer.text)
    })

  it('takes fields of 128 KiB', async () => {
    const text = 'x'.repeat(131_072)
    for (const [search, body] of [
      [`?param_a=${text}`, 'SELECT length({a:String})'],
      ['', form({ query: 'SELECT length({a:String})', param_a: text })],
    ] as const)
      assert.equal((await ask(search, body)).text, '131072\n')
  })

  it('stores rows in the three ways of a client', async () => {
    const rows = (id: number) => `{"id":${id},"text":"a \\"quoted\\" ; text ${id}"}`
    const input =
      "INSERT INTO kept SELECT id, text FROM input('id UInt32, text String') WHERE id > 1 FORMAT JSONEachRow"
    await ask('?query=INSERT+INTO+kept+FORMAT+JSONEachRow', rows(1))
    await ask(`?query=${encodeURIComponent(input)}`, `${rows(1)}\n${rows(2)}`)
    await ask('', `${input}\n${rows(3)}`)
    await ask('', "INSERT INTO kept VALUES (4, 'a ; {b:String}')")
    const texts = [1, 2, 3].map((id) => `a "quoted" ; text ${id}\n`)
    assert.equal(await stored(), `${texts.join('')}a ; {b:String}\n`)
  })

  it('quotes no row of a body in what it says of the statement', async () => {
    const statement =
      "INSERT INTO kept SELECT nosuch FROM input('id UInt32, text String') FORMAT JSONEachRow"
    const { text } = await ask('', `${statement}\n{"id":1,"text":"it's a secret)"}`)
    assert.match(text, /nosuch.*input\('id UInt32, text String'\)/)
    assert.doesNotMatch(text, /secret/)
  })

  it('runs statements beside each other, but never two of one name', async () => {
    const slow = ask('?query_id=slow', 'SELECT sleepEachRow(0.3) FROM numbers(2) FORMAT Null')
    const quick = Promise.all(
      Array.from({ length: 4 }, async () => (await ask('', 'SELECT 1')).text),
    )
    const first = await Promise.race([slow, quick])
    assert.deepEqual(first, ['1\n', '1\n', '1\n', '1\n'])
    assert.equal((await ask('?query_id=slow', 'SELECT 1')).code, 216)
    assert.equal((await slow).status, 200)
  })
})

describe('a front that closes', () => {
  const folder = temporaryFolder()
  after(() => folder.remove())

  it('answers what it was asked, and waits for no client to leave', {
    timeout: 9_000,
  }, async () => {
    const front = await startHttpFront({ path: folder.path, port: 0 })
    const asked = fetch(front.url, { method: 'POST', body: 'SELECT sleep(0.2) FORMAT Null' })
    const second = fetch(`${front.url}/?query_id=seen`, { method: 'POST', body: 'SELECT 1' })
    await second
    await front.close()
    assert.equal((await asked).status, 200)
    await assert.rejects(fetch(front.url))
  })
})

describe('a front that is killed', () => {
  const folder = temporaryFolder()
  after(() => folder.remove())

  it('is the same server when it comes back: rows, port and id', async () => {
    const first = await startFrontProcess({ path: folder.path })
    const store = await openServerStore({ url: first.url })
    await store.insert('log_epochs', [
      { topic: 'posts', epoch: 3, started_at: '2026-01-01 00:00:00.000' },
    ])
    await first.kill()
    await assert.rejects(store.query('SELECT 1'))
    const second = await startFrontProcess({ path: folder.path, port: first.port })
    assert.deepEqual(await store.query('SELECT epoch FROM log_epochs'), [{ epoch: 3 }])
    const again = await openServerStore({ url: second.url })
    assert.equal(again.boot, store.boot)
    await again.close()
    await store.close()
    await second.stop()
  })
})
