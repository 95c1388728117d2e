import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadGazetteer } from './gazetteer.ts'
import { nameTokens, rules } from './name-rule.ts'
import { readTable } from './tables.ts'

const gazetteer = loadGazetteer()
const changes = readTable('changes.csv', ['ticker', 'from', 'until', 'instrument', 'name'] as const)
const aliases = readTable('aliases.csv', ['alias', 'rule', 'instrument'] as const)

test('every instrument the tables speak of is described', () => {
  const named = [
    ...changes.map(({ instrument }) => instrument),
    ...aliases.map(({ instrument }) => instrument),
    ...[...gazetteer.names.values()].map(({ instrument }) => instrument),
    ...[...gazetteer.twins.values()].map(({ instrument }) => instrument),
  ].filter((instrument) => instrument !== '' && !instrument.startsWith('$'))
  const unknown = named.filter((instrument) => !gazetteer.instruments.has(instrument))
  assert.deepEqual([...new Set(unknown)], [])
})

test('an alias by ticker names a ticker someone had', () => {
  const tickers = new Set(changes.map(({ ticker }) => ticker))
  const unknown = aliases.filter(
    ({ instrument }) => instrument.startsWith('$') && !tickers.has(instrument.slice(1)),
  )
  assert.deepEqual(unknown, [])
})

test('rules are known and no alias stands twice', () => {
  const keys = aliases.map(({ alias }) => nameTokens(alias).join(' '))
  assert.deepEqual(
    keys.filter((key, i) => keys.indexOf(key) !== i),
    [],
  )
  assert.deepEqual(
    aliases.filter(({ rule }) => !rules.some((known) => known === rule)),
    [],
  )
})

test('nobody has a ticker while another has it', () => {
  const open = (date: string, otherwise: string) => (date === '' ? otherwise : date)
  const clashes = changes.filter((row, i) =>
    changes.some(
      (other, j) =>
        j > i &&
        other.ticker === row.ticker &&
        open(row.from, '0') < open(other.until, '9') &&
        open(other.from, '0') < open(row.until, '9'),
    ),
  )
  assert.deepEqual(clashes, [])
  const bad = changes.flatMap(({ from, until }) => [from, until]).filter(isNoDate)
  assert.deepEqual(bad, [])
})

test('an instrument has one name', () => {
  const named = changes.filter(({ name }) => name !== '').map(({ instrument }) => instrument)
  assert.deepEqual(
    named.filter((instrument, i) => named.indexOf(instrument) !== i),
    [],
  )
})

function isNoDate(date: string): boolean {
  return date !== '' && (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
}
