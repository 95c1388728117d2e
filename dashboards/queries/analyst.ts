/** Runs a checked statement with limits that it cannot loosen: they stand in the outermost clause, and it has no SETTINGS itself. */
import type { QueryOptions, Store } from '../../infra/store/store.ts'
import type { SqlAnswer } from '../contract.ts'

export const maxRows = 10_000

const limits: QueryOptions = {
  lane: 'analyst',
  maxExecutionMs: 10_000,
  maxMemoryBytes: 500_000_000,
}

export async function runStatement(store: Store, statement: string): Promise<SqlAnswer> {
  const columns = await store.query<{ name: string; type: string }>(
    `DESCRIBE TABLE (${statement})`,
    {},
    limits,
  )
  const rows = await store.query<Record<string, unknown>>(
    `SELECT * FROM (${statement}) LIMIT ${maxRows + 1}`,
    {},
    limits,
  )
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: rows.slice(0, maxRows).map((row) => columns.map(({ name }) => row[name] ?? null)),
    truncated: rows.length > maxRows,
  }
}
