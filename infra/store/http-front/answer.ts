/** Answers in ClickHouse's HTTP interface. */
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { StatementResult } from './engine.ts'
import { ServerException } from './exception.ts'
import type { StatementRequest } from './request.ts'

const contentTypes: Readonly<Record<string, string>> = {
  TabSeparated: 'text/tab-separated-values; charset=UTF-8',
  JSONEachRow: 'application/x-ndjson; charset=UTF-8',
  JSON: 'application/json; charset=UTF-8',
  CSV: 'text/csv; charset=UTF-8; header=absent',
}

export function answerResult(
  response: ServerResponse,
  request: StatementRequest,
  result: StatementResult,
): void {
  const bytes = request.compression === 'gzip' ? gzipSync(result.bytes) : result.bytes
  response.writeHead(200, {
    'Content-Type': contentTypes[result.format] ?? 'application/octet-stream',
    ...(request.compression === 'gzip' ? { 'Content-Encoding': 'gzip' } : {}),
    'X-ClickHouse-Query-Id': headerValue(request.queryId),
    'X-ClickHouse-Format': headerValue(result.format),
    'X-ClickHouse-Timezone': 'UTC',
    'X-ClickHouse-Summary': JSON.stringify(result.summary),
  })
  response.end(bytes)
}

export function answerException(
  response: ServerResponse,
  error: unknown,
  version: string,
  queryId: string | undefined,
): void {
  const exception =
    error instanceof ServerException ? error : ServerException.of(1001, 'STD_EXCEPTION', 'failed')
  const { code, status, message } = exception
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': code,
    ...(queryId === undefined ? {} : { 'X-ClickHouse-Query-Id': headerValue(queryId) }),
  })
  response.end(`${message} (version ${version})\n`)
}

/** The client may name its query anything; a header takes no more than this. */
const headerValue = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')
