/** Runs a checked statement with limits that it cannot loosen: they stand in the outermost clause, and it has no SETTINGS itself. */
import type { Store } from '../../infra/store/store.ts'
import type { SqlAnswer } from '../contract.ts'

export const maxRows = 10_000
const maxSeconds = 10
const limits = `SETTINGS max_execution_time = ${maxSeconds}, max_memory_usage = 500000000, max_threads = 1, readonly = 1`

const options = { lane: 'analyst', maxExecutionMs: maxSeconds * 1_000 } as const

export async function runStatement(store: Store, statement: string): Promise<SqlAnswer> {
  const columns = await store.query<{ name: string; type: string }>(
    `DESCRIBE TABLE (${statement}) ${limits}`,
    {},
    options,
  )
  const rows = await store.query<Record<string, unknown>>(
    `SELECT * FROM (${statement}) LIMIT ${maxRows + 1} ${limits}`,
    {},
    options,
  )
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    rows: rows.slice(0, maxRows).map((row) => columns.map(({ name }) => row[name] ?? null)),
    truncated: rows.length > maxRows,
  }
}
