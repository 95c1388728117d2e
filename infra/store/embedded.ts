/** The real ClickHouse engine in this process (chdb), behind the same client. One process owns a data folder. */
import { randomUUID } from 'node:crypto'
import { createChdbConnection } from 'chdb/connection'
import { connectTo, Queries } from './clickhouse.ts'
import { migrate } from './migrate.ts'
import type { Block, InsertOutcome, PartitionId, Store } from './store.ts'

export async function openEmbeddedStore(options: { readonly path: string }): Promise<Store> {
  const queries = new Queries(() =>
    connectTo({ connection: createChdbConnection({ path: options.path }) } as never),
  )
  await migrate(queries)
  return {
    boot: randomUUID(),
    query: (sql, params, queryOptions) => queries.query(sql, params, queryOptions),
    command: (sql, params) => queries.command(sql, params),
    async insert(table, rows) {
      await queries.client('writer').insert({ table, values: [...rows], format: 'JSONEachRow' })
    },
    async mark(partition: PartitionId) {
      const [row] = await queries.query<{ mark: number | null }>(
        'SELECT maxOrNull(offset) AS mark FROM analyses WHERE log_topic = {logTopic:String} AND partition = {partition:UInt32}',
        { ...partition },
      )
      return row?.mark ?? -1
    },
    async insertBlock(block: Block): Promise<InsertOutcome> {
      await queries.client('writer').insert({
        table: 'analyses',
        values: block.rows.map((row) => JSON.parse(row)),
        format: 'JSONEachRow',
      })
      return { kind: 'acknowledged' }
    },
    close: () => queries.close(),
  }
}
