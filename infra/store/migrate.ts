/**
 * Applies infra/migrations/*.sql in order of their names, each once. A crash between two statements leaves a file half applied, so
 * every statement must be repeatable (IF NOT EXISTS).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../errors.ts'
import { packageRoot } from '../package-root.ts'
import type { Store } from './store.ts'

const folder = join(packageRoot, 'infra', 'migrations')

type Migratable = Pick<Store, 'query' | 'command' | 'insert'>

/** Throws `STORE` when the store was written by a newer version of the program. */
export async function migrate(store: Migratable): Promise<void> {
  await store.command(
    `CREATE TABLE IF NOT EXISTS migrations (name String, applied_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY name
     SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
  )
  const rows = await store.query<{ name: string }>(
    'SELECT name FROM migrations',
    {},
    { lane: 'writer' },
  )
  const applied = new Set(rows.map((row) => row.name))
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  const unknown = [...applied].filter((name) => !files.includes(name))
  if (unknown.length > 0)
    throw new AppError(
      'STORE',
      `The store was written by a newer version (migration ${unknown.join(', ')}): start that version, or choose another data folder`,
    )
  for (const name of files) {
    if (applied.has(name)) continue
    for (const sql of statements(readFileSync(join(folder, name), 'utf8'))) await store.command(sql)
    await store.insert('migrations', [{ name }])
  }
}

/** A statement ends with a semicolon at the end of a line. */
function statements(text: string): string[] {
  return text.split(/;[ \t]*(?:\n|$)/).filter((sql) => sql.replace(/--.*$/gm, '').trim() !== '')
}
