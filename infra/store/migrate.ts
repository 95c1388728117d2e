/** Applies infra/migrations/*.sql in order of their numbers, each once. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../package-root.ts'
import type { Queries } from './clickhouse.ts'

const folder = join(packageRoot, 'infra', 'migrations')

export async function migrate(queries: Queries): Promise<void> {
  await queries.command(
    'CREATE TABLE IF NOT EXISTS migrations (name String, applied_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY name',
  )
  const applied = new Set(
    (await queries.query<{ name: string }>('SELECT name FROM migrations')).map((row) => row.name),
  )
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith('.sql') || applied.has(name)) continue
    const statements = readFileSync(join(folder, name), 'utf8').split(/;\s*\n/)
    for (const sql of statements) if (sql.trim() !== '') await queries.command(sql)
    await queries.command('INSERT INTO migrations (name) SELECT {name:String}', { name })
  }
}
