/** The store over @clickhouse/client: its one importing file, for a server and for the embedded engine alike. */
import { type ClickHouseClient, createClient } from '@clickhouse/client'
import type { Lane, Params, QueryOptions } from './store.ts'

/** A client of one server or one embedded engine; `embedded.ts` hands its connection in. */
export type Connect = (lane: Lane) => ClickHouseClient

export const connectTo = (options: Parameters<typeof createClient>[0]): ClickHouseClient =>
  createClient(options)

export class Queries {
  readonly #clients = new Map<Lane, ClickHouseClient>()
  readonly #connect: Connect

  constructor(connect: Connect) {
    this.#connect = connect
  }

  client(lane: Lane): ClickHouseClient {
    const known = this.#clients.get(lane)
    if (known !== undefined) return known
    const client = this.#connect(lane)
    this.#clients.set(lane, client)
    return client
  }

  async query<T>(sql: string, params: Params = {}, options: QueryOptions = {}): Promise<T[]> {
    const result = await this.client(options.lane ?? 'pages').query({
      query: sql,
      query_params: { ...params },
      format: 'JSONEachRow',
    })
    return result.json<T>()
  }

  async command(sql: string, params: Params = {}): Promise<void> {
    await this.client('writer').command({ query: sql, query_params: { ...params } })
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.close()
    this.#clients.clear()
  }
}
