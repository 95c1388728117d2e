import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { packageRoot } from '../../infra/package-root.ts'

const folder = join(packageRoot, 'pipeline/entities/data')

/** The rows of a CSV file beside this module, by column name; columns a row lacks are ''. */
export function readTable<Column extends string>(
  file: string,
  columns: readonly Column[],
): readonly Readonly<Record<Column, string>>[] {
  const rows: Record<string, string>[] = parse(readFileSync(join(folder, file)), { columns: true })
  return rows.map((row) => pick(row, columns))
}

function pick<Column extends string>(
  row: Readonly<Record<string, string>>,
  columns: readonly Column[],
): Readonly<Record<Column, string>> {
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? ''])) as Record<
    Column,
    string
  >
}
