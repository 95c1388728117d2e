/** The store over @clickhouse/client: its one importing file, for a server and for the embedded engine alike. */
import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { AppError } from '../errors.ts'
import { encodeRow } from './encode-row.ts'
import { inlineParams } from './inline-params.ts'
import {
  type BlockTable,
  type Column,
  columnsSql,
  type InsertSql,
  insertSql,
  markMoved,
  markSql,
  querySql,
} from './sql.ts'
import type {
  Block,
  InsertOutcome,
  Lane,
  Params,
  PartitionId,
  QueryOptions,
  Store,
} from './store.ts'
import { queryError, storeError } from './store-error.ts'

export type Client = ClickHouseClient
export type ClientOptions = Parameters<typeof createClient>[0]

/** The client's own log lines would quote statements and posts; what matters is in the errors. */
export const connectClient = (options: ClientOptions): Client =>
  createClient({ ...options, log: { level: ClickHouseLogLevel.OFF } })

export interface ClickHouseOptions {
  /** One client a lane, made at its first use. */
  readonly connect: (lane: Lane) => Client
  /** A folder or an address, for messages. */
  readonly where: string
  /**
   * How values travel. Embedded: as literals, because bound parameters queue all connections (`inlineParams`), but an insert's rows as
   * a parameter, because it stores nothing from a body. Server: bound, and rows as the body, because it limits parameters to 1 MiB.
   */
  readonly engine: 'embedded' | 'server'
}

const defaultQueryMs = 30_000
/** The engine gives up before the client does, so that a lost answer is rare. */
export const insertMs = 120_000

/** The Store's statements, before its identity (`boot`, `replicated`) is known. */
export class ClickHouse implements Omit<Store, 'boot' | 'replicated'> {
  readonly #options: ClickHouseOptions
  readonly #clients = new Map<Lane, Client>()
  readonly #columns = new Map<string, readonly Column[]>()
  readonly #underWay = new Set<Promise<unknown>>()
  #closed = false

  constructor(options: ClickHouseOptions) {
    this.#options = options
  }

  async query<T>(sql: string, params: Params = {}, options: QueryOptions = {}): Promise<T[]> {
    const limited = querySql(sql, {
      ms: options.maxExecutionMs ?? defaultQueryMs,
      bytes: options.maxMemoryBytes,
    })
    const read = async (): Promise<T[]> => {
      const result = await this.#client(options.lane ?? 'pages').query({
        ...this.#bind(limited, params),
        format: 'JSONEachRow',
      })
      return result.json<T>()
    }
    return this.#track(read()).catch((cause) => {
      throw queryError(cause, this.#options.where)
    })
  }

  async syntaxTree(statement: string): Promise<string[]> {
    const read = async (): Promise<string[]> => {
      const { stream } = await this.#client('analyst').exec({ query: `EXPLAIN AST ${statement}` })
      return treeLines(Buffer.concat(await stream.toArray()).toString())
    }
    return this.#track(read()).catch((cause) => {
      throw queryError(cause, this.#options.where)
    })
  }

  async command(sql: string, params: Params = {}): Promise<void> {
    const run = async () => this.#client('writer').command(this.#bind(sql, params))
    await this.#track(run()).catch((cause) => {
      throw queryError(cause, this.#options.where)
    })
  }

  async insert(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const [first] = rows
    if (first === undefined) return
    const columns = (await this.#columnsOf(table)).filter((column) => column.name in first)
    await this.#send({ table, columns }, rows.map(encodeRow), {}).catch((cause) => {
      throw storeError(cause, `store rows of ${table}`, this.#options.where)
    })
  }

  async mark(partition: PartitionId): Promise<number> {
    const { table, params } = placeOf(partition)
    const [row] = await this.query<{ mark: number }>(markSql(table), params, { lane: 'writer' })
    return row?.mark ?? -1
  }

  async insertBlock(block: Block): Promise<InsertOutcome> {
    const { logTopic, partition, mark, token, rows } = block
    try {
      const { table, params } = placeOf(block)
      const columns = await this.#columnsOf(table)
      await this.#send({ table, columns, fence: table }, rows, { ...params, mark, token })
      return { kind: 'acknowledged' }
    } catch (cause) {
      if (cause instanceof Error && cause.message.includes(markMoved)) return { kind: 'mark-moved' }
      const what = `store the offsets ${mark + 1} to ${block.last} of ${logTopic}/${partition}`
      return { kind: 'unknown', error: storeError(cause, what, this.#options.where) }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#underWay)
    const clients = [...this.#clients.values()]
    this.#clients.clear()
    for (const client of clients) await client.close()
  }

  #bind(sql: string, params: Params): { query: string; query_params?: Record<string, unknown> } {
    if (this.#options.engine === 'embedded') return { query: inlineParams(sql, params) }
    return { query: sql, query_params: { ...params } }
  }

  async #send(
    sql: Pick<InsertSql, 'table' | 'columns' | 'fence'>,
    rows: readonly string[],
    params: Params,
  ): Promise<void> {
    const rowsIn = this.#options.engine === 'embedded' ? 'parameter' : 'body'
    const bound = this.#bind(insertSql({ ...sql, rowsIn, maxExecutionMs: insertMs }), params)
    const body = rows.join('\n')
    const client = this.#client('writer')
    if (rowsIn === 'parameter')
      await this.#track(client.command({ ...bound, query_params: { body } }))
    else await this.#track(finished(client.exec({ ...bound, values: Readable.from([body]) })))
  }

  async #columnsOf(table: string): Promise<readonly Column[]> {
    const known = this.#columns.get(table)
    if (known !== undefined) return known
    const columns = await this.query<Column>(columnsSql, { table }, { lane: 'writer' })
    if (columns.length > 0) this.#columns.set(table, columns)
    return columns
  }

  #client(lane: Lane): Client {
    if (this.#closed) throw new AppError('STORE', `The store at ${this.#options.where} is closed`)
    const known = this.#clients.get(lane)
    if (known !== undefined) return known
    const client = this.#options.connect(lane)
    this.#clients.set(lane, client)
    return client
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    const forget = () => this.#underWay.delete(work)
    work.then(forget, forget)
    return work
  }
}

function placeOf({ logTopic, partition, revision }: PartitionId): {
  readonly table: BlockTable
  readonly params: Params
} {
  if (revision === undefined) return { table: 'analyses', params: { logTopic, partition } }
  const { number, from } = revision
  return { table: 'rescored', params: { logTopic, partition, revision: number, from } }
}

/** Without a FORMAT the embedded engine answers in CSV and a server in TSV, whose escapes stand in literals alone. */
function treeLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('"') ? line.slice(1, -1).replaceAll('""', '"') : line))
}

/** An insert's answer is empty; reading it frees the socket. */
async function finished(answer: Promise<{ readonly stream: Readable }>): Promise<void> {
  await (await answer).stream.toArray()
}
