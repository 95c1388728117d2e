/** What a request asks for, in ClickHouse's HTTP interface. Pure: it runs nothing. */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { ServerException } from './exception.ts'

export interface RawRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface StatementRequest {
  /** The query of the URL or form, then the body. */
  readonly statement: string
  /** Values of `param_*`, as they came. */
  readonly params: ReadonlyMap<string, string>
  readonly settings: Readonly<Record<string, string>>
  readonly database: string | undefined
  readonly defaultFormat: string
  readonly queryId: string
  readonly user: string
  readonly password: string
  /** GET changes nothing. */
  readonly readOnly: boolean
  readonly compression: 'gzip' | undefined
}

/** A server's `http_max_uri_size` and `http_max_field_value_size`. */
export const maxUrlBytes = 1024 * 1024
export const maxFieldBytes = 128 * 1024

/** What these say has no counterpart in the embedded engine, which never sends a result before it is whole. */
const httpSettings = new Set([
  'wait_end_of_query',
  'buffer_size',
  'enable_http_compression',
  'http_zlib_compression_level',
  'http_response_buffer_size',
  'http_headers_progress_interval_ms',
  'send_progress_in_http_headers',
  'cancel_http_readonly_queries_on_client_close',
])

const refused = ['session_id', 'role', 'quota_key', 'compress', 'decompress', 'stacktrace']
const known = new Set(['query', 'query_id', 'database', 'default_format', 'user', 'password'])

/** Throws `ServerException` for what a server refuses, and for what this front does not do. */
export async function parseRequest(raw: RawRequest): Promise<StatementRequest> {
  const fields = urlFields(raw.url)
  let body = decoded(raw)
  if (raw.headers['content-type']?.startsWith('multipart/form-data')) {
    for (const [name, value] of await formFields(raw.headers['content-type'], body))
      fields.append(name, value)
    body = Buffer.alloc(0)
  }
  const unsupported = refused.find((name) => !['', '0', null].includes(fields.get(name)))
  if (unsupported !== undefined)
    throw ServerException.of(48, 'NOT_IMPLEMENTED', `The front has no ${unsupported}`)
  const query = fields.get('query')
  return {
    statement: query === null ? body.toString() : `${query}\n${body}`,
    params: new Map(
      [...fields]
        .filter(([name]) => name.startsWith('param_'))
        .map(([name, value]) => [name.slice('param_'.length), value]),
    ),
    settings: settingsOf(fields),
    database: fields.get('database') ?? header(raw, 'x-clickhouse-database'),
    defaultFormat:
      fields.get('default_format') ?? header(raw, 'x-clickhouse-format') ?? 'TabSeparated',
    queryId: fields.get('query_id') || randomUUID(),
    ...credentials(raw, fields),
    readOnly: raw.method === 'GET' || raw.method === 'HEAD',
    compression:
      fields.get('enable_http_compression') === '1' &&
      /\bgzip\b/.test(raw.headers['accept-encoding']?.toString() ?? '')
        ? 'gzip'
        : undefined,
  }
}

function header(raw: RawRequest, name: string): string | undefined {
  return raw.headers[name]?.toString()
}

function urlFields(url: string): URLSearchParams {
  const from = url.indexOf('?')
  const query = from < 0 ? '' : url.slice(from + 1)
  for (const field of query.split('&'))
    if (field.length - field.indexOf('=') - 1 > maxFieldBytes)
      throw ServerException.form('Field value too long')
  return new URLSearchParams(query)
}

async function formFields(
  type: string,
  body: Buffer<ArrayBuffer>,
): Promise<[name: string, value: string][]> {
  const read = new Response(body, { headers: { 'content-type': type } }).formData()
  const form = await read.catch(() => {
    throw ServerException.of(
      33,
      'CANNOT_READ_ALL_DATA',
      'Unexpected EOF, did not find the last boundary while parsing a multipart HTTP request',
    )
  })
  return [...form].map(([name, value]) => {
    if (typeof value !== 'string')
      throw ServerException.of(48, 'NOT_IMPLEMENTED', 'The front has no external tables')
    if (Buffer.byteLength(value) > maxFieldBytes) throw ServerException.form('Field value too long')
    return [name, value]
  })
}

function settingsOf(fields: URLSearchParams): Record<string, string> {
  return Object.fromEntries(
    [...fields].filter(
      ([name]) =>
        !known.has(name) &&
        !refused.includes(name) &&
        !httpSettings.has(name) &&
        !name.startsWith('param_'),
    ),
  )
}

function decoded({ headers, body }: RawRequest): Buffer<ArrayBuffer> {
  const encoding = headers['content-encoding']
  try {
    if (encoding === undefined) return Buffer.from(body)
    if (encoding === 'gzip') return gunzipSync(body)
    if (encoding === 'deflate') return inflateSync(body)
    if (encoding === 'br') return brotliDecompressSync(body)
  } catch {
    throw ServerException.of(354, 'ZLIB_INFLATE_FAILED', 'inflate failed: the body is damaged')
  }
  throw ServerException.of(48, 'NOT_IMPLEMENTED', 'Unknown compression of the body')
}

function credentials(
  raw: RawRequest,
  fields: URLSearchParams,
): Pick<StatementRequest, 'user' | 'password'> {
  const [scheme, encoded = ''] = raw.headers.authorization?.split(' ') ?? []
  if (scheme === 'Basic') {
    const [user = '', ...password] = Buffer.from(encoded, 'base64').toString().split(':')
    return { user, password: password.join(':') }
  }
  return {
    user: header(raw, 'x-clickhouse-user') ?? fields.get('user') ?? 'default',
    password: header(raw, 'x-clickhouse-key') ?? fields.get('password') ?? '',
  }
}
