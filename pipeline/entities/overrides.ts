import { readFileSync } from 'node:fs'
import { CsvError, parse } from 'csv-parse/sync'
import { AppError, describeError } from '../../infra/errors.ts'
import type { Gazetteer } from './gazetteer.ts'
import type { Instrument } from './mention.ts'
import { nameTokens } from './name-rule.ts'
import { instrumentAt, type Period, period } from './ticker-timeline.ts'

/** One row of a user's overrides.csv; the columns are described in data/README.md. */
export interface Override {
  readonly line: number
  /** '$XYZ' or a name. */
  readonly written: string
  /** '' when what is written is no mention. */
  readonly instrument: string
  readonly name: string
  readonly type: string
  readonly from: string
  readonly until: string
}

const columns = ['written', 'instrument', 'name', 'type', 'from', 'until'] as const
const types: readonly string[] = ['company', 'index', 'fund', 'crypto', 'other']

/** Throws AppError CONFIG with file, line and reason at the first fault. */
export function readOverrides(file: string): readonly Override[] {
  const overrides = parseRows(file).map(({ record, info }) => ({
    line: info.lines,
    ...(Object.fromEntries(columns.map((column) => [column, record[column] ?? ''])) as Record<
      (typeof columns)[number],
      string
    >),
  }))
  for (const override of overrides) {
    const fault = faultOf(override)
    if (fault) throw new AppError('CONFIG', `${file} line ${override.line}: ${fault}`)
  }
  return overrides
}

/** The gazetteer with the user's word above its own. Throws AppError CONFIG when a row names an instrument nobody described. */
export function applyOverrides(gazetteer: Gazetteer, overrides: readonly Override[]): Gazetteer {
  if (overrides.length === 0) return gazetteer
  const instruments = new Map(gazetteer.instruments)
  const names = new Map(gazetteer.names)
  const twins = new Map(gazetteer.twins)
  const periods = new Map<string, Period[]>()
  for (const row of overrides) {
    describe(row, instruments)
    if (row.written.startsWith('$')) {
      const ticker = row.written.slice(1).toUpperCase().replace(/[-/]/, '.')
      const known = periods.get(ticker) ?? []
      periods.set(ticker, [...known, period(row.instrument, row.from, row.until)])
      twins.delete(ticker)
    } else {
      names.set(nameTokens(row.written).join(' '), {
        written: row.written,
        instrument: row.instrument,
        rule: row.instrument === '' ? 'never' : 'cased',
      })
    }
  }
  return {
    instruments,
    names,
    twins,
    instrumentOf(ticker, at) {
      const own = instrumentAt(periods.get(ticker) ?? [], at)
      return own ?? gazetteer.instrumentOf(ticker, at)
    },
  }
}

function parseRows(file: string): { record: Record<string, string>; info: { lines: number } }[] {
  try {
    return parse(readFileSync(file, 'utf8'), {
      columns: checkHeader,
      info: true,
      bom: true,
      trim: true,
      skip_empty_lines: true,
    })
  } catch (error) {
    const line = error instanceof CsvError ? ` line ${error.lines}` : ''
    throw new AppError('CONFIG', `${file}${line}: ${describeError(error)}`, { cause: error })
  }
}

function checkHeader(header: string[]): string[] {
  const unknown = header.filter((name) => !columns.some((column) => column === name))
  if (unknown.length > 0 || !header.includes('written') || !header.includes('instrument'))
    throw new Error(
      `the columns are ${columns.join(', ')} (the first two are wanted), not ${header.join(', ')}`,
    )
  return header
}

function faultOf(row: Override): string | undefined {
  if (nameTokens(row.written).length === 0) return 'written is empty: a $TICKER or a name is wanted'
  if (row.written.startsWith('$') && !/^\$[A-Za-z][A-Za-z0-9._\-/]{0,19}$/.test(row.written))
    return `'${row.written}' is not a cashtag`
  if (row.type !== '' && !types.includes(row.type))
    return `type '${row.type}' is none of ${types.join(', ')}`
  const bad = [row.from, row.until].find((date) => date !== '' && !isDate(date))
  if (bad !== undefined) return `'${bad}' is not a date as YYYY-MM-DD`
  if (row.from !== '' && row.until !== '' && row.from >= row.until)
    return 'from is not before until'
  return undefined
}

function isDate(written: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(written)) return false
  const time = Date.parse(written)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(written)
}

function describe(row: Override, instruments: Map<string, Instrument>): void {
  if (row.instrument === '') return
  const known = instruments.get(row.instrument)
  if (row.name === '' && known === undefined)
    throw new AppError(
      'CONFIG',
      `overrides line ${row.line}: instrument '${row.instrument}' is not known, so it needs a name`,
    )
  if (row.name === '') return
  const type = types.includes(row.type) ? (row.type as Instrument['type']) : known?.type
  const ticker = row.written.startsWith('$') ? row.written.slice(1).toUpperCase() : ''
  instruments.set(row.instrument, {
    id: row.instrument,
    name: row.name,
    ticker: known?.ticker ?? ticker,
    type: type ?? 'company',
  })
}
