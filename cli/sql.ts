/** `tickertone sql`: one SELECT over the views, through the running monitor or on the store itself. */
import { Command } from 'commander'
import type { SqlAnswer } from '../dashboards/contract.ts'
import { runStatement } from '../dashboards/queries/analyst.ts'
import { checkSql } from '../dashboards/sql-guard.ts'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import { ask, monitorToAsk } from './api.ts'
import { withStore } from './local-store.ts'
import { type ConfigOptions, configFrom, withMonitorOrStore } from './options.ts'

export function sqlCommand(): Command {
  return withMonitorOrStore(new Command('sql'))
    .description('Run one SELECT over the views that docs/sql.md describes')
    .argument('<select>', 'the statement')
    .option('--json', 'print one JSON document a row')
    .action(async (statement: string, options: ConfigOptions & { json?: boolean }) => {
      const answer = await answerOf(options, statement)
      process.stdout.write(options.json ? asJson(answer) : asTable(answer))
      if (answer.truncated)
        process.stderr.write(`tickertone: only the first ${answer.rows.length} rows\n`)
    })
}

async function answerOf(options: ConfigOptions, sql: string): Promise<SqlAnswer> {
  const config = configFrom(options)
  const running = await monitorToAsk(options, config)
  if (running !== undefined) {
    return ask(`${running}/api/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql }),
    })
  }
  return withStore(config, async (store) => {
    const verdict = await checkSql(store, sql)
    if (verdict.kind === 'refused') throw new AppError('USAGE', verdict.reason)
    return runStatement(store, verdict.statement)
  })
}

function asJson({ columns, rows }: SqlAnswer): string {
  return rows
    .map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])))
    .map((row) => `${JSON.stringify(row)}\n`)
    .join('')
}

/** Tab-separated with a head: easy to read when short, easy to cut and sort when long. */
function asTable({ columns, rows }: SqlAnswer): string {
  return [columns.map(({ name }) => name), ...rows]
    .map((row) => `${row.map(cell).join('\t')}\n`)
    .join('')
}

const cell = (value: unknown): string =>
  inert(typeof value === 'string' ? value : JSON.stringify(value ?? null))
