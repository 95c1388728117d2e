/** The two forms in which statements travel: to the engine in this process, and to a server over HTTP. */
import { AppError } from '../errors.ts'
import { unlessAborted } from '../unless-aborted.ts'
import { inlineParams } from './inline-params.ts'
import type { InsertSql } from './sql.ts'
import type { Params } from './store.ts'

export interface Bound {
  readonly query: string
  readonly query_params?: Record<string, unknown>
  readonly clickhouse_settings?: Readonly<Record<string, string>>
}

export interface StatementForm {
  readonly rowsIn: InsertSql['rowsIn']
  bind(sql: string, params: Params): Bound
  /** The statement of an insert with its rows. */
  withRows(bound: Bound, rows: string): Bound
  /** What goes beside a read, and beside a statement that may take hours. */
  readonly settings: Readonly<Record<'read' | 'command', Readonly<Record<string, string>>>>
  /** Waits for an answer no longer than the engine may take for it, where it may be lost. */
  within<T>(ms: number, ask: (signal?: AbortSignal) => Promise<T>): Promise<T>
  /** A failure that says nothing of the statement: a read is asked once more. */
  isStale(error: unknown): boolean
}

/**
 * Values as literals, because bound parameters queue all connections (`inlineParams`); but an insert's rows as a parameter, because it
 * stores nothing from a body. Settings beside a statement would stay on the connection.
 */
export const embeddedForm: StatementForm = {
  rowsIn: 'parameter',
  bind: (sql, params) => ({ query: inlineParams(sql, params) }),
  withRows: (bound, rows) => ({ ...bound, query_params: { body: rows } }),
  settings: { read: {}, command: {} },
  within: (_ms, ask) => ask(),
  isStale: () => false,
}

/** Bound values stand in the URL, percent-encoded: a proxy before the server may refuse more than 8 KiB, the server itself a field of more than 128. */
const boundBytes = 2_000
/** A server reads no statement above 256 KiB unless told. */
const plainStatementBytes = 200_000
/** The engine gives up first, so that a lost answer is rare. */
const graceMs = 10_000

/** Values bound while they are few, rows behind the statement in the body. */
export const serverForm: StatementForm = {
  rowsIn: 'body',
  bind(sql, params) {
    if (Buffer.byteLength(JSON.stringify(params)) <= boundBytes)
      return { query: sql, query_params: { ...params } }
    const query = inlineParams(sql, params)
    const bytes = Buffer.byteLength(query)
    if (bytes <= plainStatementBytes) return { query }
    return { query, clickhouse_settings: { max_query_size: String(2 * bytes) } }
  },
  withRows: (bound, rows) => ({ ...bound, query: `${bound.query}\n${rows}` }),
  settings: {
    // Else an error that comes after the first rows has status 200, and its words end the rows.
    read: { wait_end_of_query: '1' },
    // Something is heard while it runs, or whoever stands between ends a connection that seems idle.
    command: {
      wait_end_of_query: '1',
      send_progress_in_http_headers: '1',
      http_headers_progress_interval_ms: '50000',
    },
  },
  async within(ms, ask) {
    const signal = AbortSignal.timeout(ms + graceMs)
    try {
      return await unlessAborted(ask(signal), signal)
    } catch (cause) {
      if (!signal.aborted) throw cause
      const message = `The store did not answer within ${(ms + graceMs) / 1000} s`
      throw new AppError('STORE', message, { cause, retryable: true })
    }
  },
  // The server had closed a socket that stood idle: https://github.com/ClickHouse/clickhouse-js/issues/150
  isStale: (error) =>
    ['ECONNRESET', 'EPIPE'].includes(String((error as NodeJS.ErrnoException).code)),
}
