/** Runs a server's statements on the embedded engine: each on a connection of its own, so that none waits for another or inherits its settings. */
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Client } from '../clickhouse.ts'
import { checkFolder, connectEmbedded } from '../embedded.ts'
import { quoteName, quoteText } from '../sql.ts'
import { ServerException } from './exception.ts'
import type { StatementRequest } from './request.ts'
import { engineStatement } from './statement.ts'

export interface StatementResult {
  readonly bytes: Buffer
  readonly format: string
  /** Counters of `X-ClickHouse-Summary`. */
  readonly summary: Readonly<Record<string, string>>
}

export interface FrontEngine {
  readonly version: string
  /** Rejects with `ServerException`. Nothing ends a statement that has begun, as on a server whose client is gone. */
  run(request: StatementRequest): Promise<StatementResult>
  /** Waits for the statements under way. Idempotent. */
  close(): Promise<void>
}

/** Throws as `openEmbeddedStore` does for a folder that cannot be used. */
export async function openFrontEngine(options: { readonly path: string }): Promise<FrontEngine> {
  const path = resolve(options.path)
  checkFolder(path)
  // The engine lets go of the folder with its last connection.
  const keeper = connectEmbedded(path)
  const version = (await execute(keeper, 'SELECT version()', 'TabSeparated')).bytes
  const serverId = serverIdOf(path)
  const running = new Map<string, Promise<StatementResult>>()

  const run = async (request: StatementRequest): Promise<StatementResult> => {
    const { statement, params, settings } = request
    const sql = engineStatement(statement, params, serverId, bytesOf(settings.max_query_size))
    const client = connectEmbedded(path)
    try {
      for (const preparation of preparations(request))
        await execute(client, preparation, 'TabSeparated')
      const format = formatOf(request.statement) ?? request.defaultFormat
      return { ...(await execute(client, sql, request.defaultFormat)), format }
    } finally {
      await client.close()
    }
  }

  return {
    version: version.toString().trim(),
    async run(request) {
      if (running.has(request.queryId))
        throw ServerException.of(
          216,
          'QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING',
          'Query with the same id is already running',
        )
      const result = run(request)
      running.set(request.queryId, result)
      return result.finally(() => running.delete(request.queryId))
    },
    async close() {
      await Promise.allSettled(running.values())
      await keeper.close()
    },
  }
}

type ExecSettings = NonNullable<Parameters<Client['exec']>[0]['clickhouse_settings']>

/** As a server's: it stays over restarts, and so do the tokens that writers make of it. */
function serverIdOf(path: string): string {
  const file = join(path, 'uuid')
  if (!existsSync(file)) writeFileSync(file, randomUUID(), { flush: true })
  return readFileSync(file, 'utf8').trim()
}

const bytesOf = (setting: string | undefined): number | undefined =>
  setting === undefined ? undefined : Number(setting)

function preparations(request: StatementRequest): string[] {
  const settings = Object.entries({
    ...(request.readOnly ? { readonly: '2' } : {}),
    ...request.settings,
    // Parameters and rows stand in the statement here.
    max_query_size: '0',
  })
  const assignments = settings.map(([name, value]) => `${quoteName(name)} = ${quoteText(value)}`)
  return [
    ...(request.database === undefined ? [] : [`USE ${quoteName(request.database)}`]),
    `SET ${assignments.join(', ')}`,
  ]
}

async function execute(client: Client, query: string, format: string): Promise<StatementResult> {
  try {
    const { stream, summary } = await client.exec({
      query,
      clickhouse_settings: { default_format: format } as ExecSettings,
    })
    const bytes = Buffer.concat(await stream.toArray())
    return { bytes, format, summary: { ...summary } as Record<string, string> }
  } catch (error) {
    throw ServerException.fromEngine(engineWords(error))
  }
}

/** The format that a query names itself. */
const formatOf = (statement: string): string | undefined =>
  /\bFORMAT\s+(\w+)\s*;?\s*$/i.exec(statement.slice(-200))?.[1]

/** The client takes the number off its error's message; the engine's own is its cause. */
function engineWords(error: unknown): string {
  const { cause, message } = error as Error
  return cause instanceof Error ? cause.message : message
}
