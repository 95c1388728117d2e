/** The store over @clickhouse/client: its one importing file, for a server and for the embedded engine alike. */
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
import type { Bound, StatementForm } from './statement-form.ts'
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
  readonly form: StatementForm
}

const defaultQueryMs = 30_000
const insertMs = 120_000

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
    const ms = options.maxExecutionMs ?? defaultQueryMs
    const limited = querySql(sql, { ms, bytes: options.maxMemoryBytes })
    return this.#read(ms, async (signal) => {
      const result = await this.#client(options.lane ?? 'pages').query({
        ...this.#bind(limited, params, 'read'),
        ...signal,
        format: 'JSONEachRow',
      })
      return result.json<T>()
    })
  }

  async syntaxTree(statement: string): Promise<string[]> {
    return this.#read(defaultQueryMs, async (signal) => {
      const { stream } = await this.#client('analyst').exec({
        query: `EXPLAIN AST ${statement}`,
        clickhouse_settings: { default_format: 'JSONEachRow' },
        ...signal,
      })
      const lines = Buffer.concat(await stream.toArray())
        .toString()
        .split('\n')
      return lines.filter((line) => line !== '').map(treeLine)
    })
  }

  async command(sql: string, params: Params = {}): Promise<void> {
    const run = async () => this.#client('writer').command(this.#bind(sql, params, 'command'))
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

  #bind(sql: string, params: Params, kind: 'read' | 'command'): Bound {
    const { form } = this.#options
    const bound = form.bind(sql, params)
    const settings = { ...form.settings[kind], ...bound.clickhouse_settings }
    return { ...bound, clickhouse_settings: settings }
  }

  /** Reads change nothing, so that one whose connection was stale is asked again. */
  #read<T>(ms: number, ask: (options: { abort_signal?: AbortSignal }) => Promise<T>): Promise<T> {
    const { form, where } = this.#options
    const once = () => form.within(ms, (signal) => ask(signal ? { abort_signal: signal } : {}))
    const read = once().catch((cause) => {
      if (!form.isStale(cause)) throw cause
      return once()
    })
    return this.#track(read).catch((cause) => {
      throw queryError(cause, where)
    })
  }

  async #send(
    sql: Pick<InsertSql, 'table' | 'columns' | 'fence'>,
    rows: readonly string[],
    { token, ...params }: Params,
  ): Promise<void> {
    const { form } = this.#options
    const insert = insertSql({ ...sql, rowsIn: form.rowsIn, maxExecutionMs: insertMs })
    // Not every server takes a parameter as the value of a setting.
    const bound = form.bind(inlineParams(insert, token === undefined ? {} : { token }), params)
    const client = this.#client('writer')
    const sent = form.within(insertMs, async (signal) => {
      const statement = form.withRows(bound, rows.join('\n'))
      const { stream } = await client.exec({
        ...statement,
        ...(signal ? { abort_signal: signal } : {}),
      })
      // The answer is empty; reading it frees the socket.
      await stream.toArray()
    })
    await this.#track(sent)
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

const treeLine = (row: string): string => (JSON.parse(row) as { explain: string }).explain
