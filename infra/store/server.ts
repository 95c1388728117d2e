/** A ClickHouse server, by its HTTP address. */
import { AppError, describeError } from '../errors.ts'
import { ClickHouse, type Client, connectClient } from './clickhouse.ts'
import { migrate } from './migrate.ts'
import { serverForm } from './statement-form.ts'
import type { Store } from './store.ts'

const commandMs = 24 * 3_600_000
/** A line of progress each minute of a long command. */
const maxHeaderBytes = 1024 * 1024

/** Throws `CONFIG` for an address that is none, and `STORE`, retryable when the server was out of reach. */
export async function openServerStore(options: { readonly url: string }): Promise<Store> {
  const engine = openEngine(options.url)
  try {
    await greet(engine)
    await migrate(engine)
    const [server] = await engine.query<{ serverId: string; engine: string }>(
      "SELECT toString(serverUUID()) AS serverId, engine FROM system.tables WHERE database = currentDatabase() AND name = 'analyses'",
    )
    const replicated = /^(Replicated|Shared)/.test(server?.engine ?? '')
    return {
      // A server keeps its id over restarts: a token that died with it is poisoned, and the writer takes the next. Replicas share tokens.
      boot: replicated ? 'replicas' : (server?.serverId ?? ''),
      replicated,
      query: (sql, params, queryOptions) => engine.query(sql, params, queryOptions),
      syntaxTree: (statement) => engine.syntaxTree(statement),
      command: (sql, params) => engine.command(sql, params),
      insert: (table, rows) => engine.insert(table, rows),
      mark: (partition) => engine.mark(partition),
      insertBlock: (block) => engine.insertBlock(block),
      close: () => engine.close(),
    }
  } catch (error) {
    await engine.close()
    throw error
  }
}

export interface ServerInfo {
  readonly version: string
  readonly database: string
  /** It was opened before: the tables are there. */
  readonly isReady: boolean
}

/** Asks a server who it is, and changes nothing there. Throws as `openServerStore` does. */
export async function inspectServer({ url }: { readonly url: string }): Promise<ServerInfo> {
  const engine = openEngine(url)
  try {
    await greet(engine)
    const [info] = await engine.query<{ version: string; db: string; tables: number }>(
      `SELECT version() AS version, currentDatabase() AS db,
         (SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'migrations') AS tables`,
    )
    if (info === undefined) throw new AppError('STORE', `${new URL(url).host} said nothing`)
    return { version: info.version, database: info.db, isReady: info.tables > 0 }
  } finally {
    await engine.close()
  }
}

/** The first question: whatever is wrong with the address shows here. */
async function greet(engine: ClickHouse): Promise<void> {
  try {
    await engine.query('SELECT 1 AS one')
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== 'STORE') throw cause
    throw new AppError(
      'STORE',
      `${cause.message}: check host, port, user, password and database of CLICKHOUSE_URL (--clickhouse)`,
      { cause, retryable: cause.retryable },
    )
  }
}

function openEngine(url: string): ClickHouse {
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw noAddress()
  const { host } = new URL(url)
  return new ClickHouse({ connect: () => connect(url), where: host, form: serverForm })
}

/** Each read and insert has its own limit; the client's is for commands. */
function connect(url: string): Client {
  try {
    return connectClient({
      url,
      request_timeout: commandMs,
      max_response_headers_size: maxHeaderBytes,
      // A busy process finds out late that a socket stood idle longer than the server keeps it.
      keep_alive: { eagerly_destroy_stale_sockets: true },
    })
  } catch (cause) {
    throw noAddress(cause)
  }
}

function noAddress(cause?: unknown): AppError {
  const why = cause === undefined ? '' : ` (${describeError(cause)})`
  return new AppError(
    'CONFIG',
    `CLICKHOUSE_URL (--clickhouse) must be an address like http://host:8123${why}`,
    { cause },
  )
}
