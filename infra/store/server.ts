/** A ClickHouse server, by its HTTP address. */
import { AppError } from '../errors.ts'
import { ClickHouse, connectClient, insertMs } from './clickhouse.ts'
import { migrate } from './migrate.ts'
import type { Store } from './store.ts'

/** Throws `CONFIG` for no URL, and `STORE`, retryable when the server was out of reach. */
export async function openServerStore(options: { readonly url: string }): Promise<Store> {
  if (!URL.canParse(options.url))
    throw new AppError(
      'CONFIG',
      'CLICKHOUSE_URL (--clickhouse) must be an address like http://host:8123',
    )
  const { host } = new URL(options.url)
  const engine = new ClickHouse({
    connect: () => connectClient({ url: options.url, request_timeout: insertMs + 10_000 }),
    where: host,
    engine: 'server',
  })
  try {
    await migrate(engine)
    const [server] = await engine.query<{ boot: string; engine: string }>(
      "SELECT toString(serverUUID()) AS boot, engine FROM system.tables WHERE database = currentDatabase() AND name = 'analyses'",
    )
    return {
      boot: server?.boot ?? '',
      replicated: server?.engine.startsWith('Replicated') ?? false,
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
