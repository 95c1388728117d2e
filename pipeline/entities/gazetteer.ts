import { readableName, shortName } from './company-name.ts'
import type { Instrument } from './mention.ts'
import { type NameRule, nameTokens, rules } from './name-rule.ts'
import { readTable } from './tables.ts'
import { instrumentAt, type Period, period } from './ticker-timeline.ts'

/** A ticker that means another instrument when it stands beside certain others: `$DOW` beside `$SPX` is the index. */
export interface Twin {
  readonly instrument: string
  readonly beside: ReadonlySet<string>
}

export interface Gazetteer {
  readonly instruments: ReadonlyMap<string, Instrument>
  readonly names: ReadonlyMap<string, NameRule>
  readonly twins: ReadonlyMap<string, Twin>
  /** What a ticker (upper case, share classes after a dot) meant at that moment. */
  instrumentOf(ticker: string, at: number): string | undefined
}

/**
 * Reads the tables of `data/` into one view. Who wins where they differ: changes.csv (all that is said of its tickers),
 * then indices-funds.csv, then SEC's registrants, then Nasdaq's listings. Of names, aliases.csv wins.
 */
export function loadGazetteer(): Gazetteer {
  const builder = new GazetteerBuilder()
  builder.readChanges()
  builder.readIndicesAndFunds()
  builder.readRegistrants()
  builder.readListings()
  builder.readAliases()
  return builder.build()
}

class GazetteerBuilder {
  readonly #instruments = new Map<string, Instrument>()
  readonly #periods = new Map<string, Period[]>()
  readonly #names = new Map<string, NameRule>()

  readChanges(): void {
    const rows = readTable('changes.csv', [
      'ticker',
      'from',
      'until',
      'instrument',
      'name',
    ] as const)
    for (const row of rows) {
      const periods = this.#periods.get(row.ticker) ?? []
      periods.push(period(row.instrument, row.from, row.until))
      this.#periods.set(row.ticker, periods)
      if (row.name === '') continue
      this.#declare(row.instrument, row.name, lastTicker(row.instrument) ?? row.ticker, 'company')
      this.#derive(row.name, row.instrument, false)
    }
  }

  readIndicesAndFunds(): void {
    const rows = readTable('indices-funds.csv', ['instrument', 'type', 'name', 'tickers'] as const)
    for (const row of rows) {
      const tickers = row.tickers.split(' ')
      this.#declare(row.instrument, row.name, tickers[0] ?? '', typeOf(row.type))
      for (const ticker of tickers) this.#list(ticker, row.instrument)
    }
  }

  readRegistrants(): void {
    const known = new Map(
      readTable('sp500.csv', ['Security', 'CIK'] as const).map((row) => [
        `cik:${Number(row.CIK)}`,
        row.Security.replace(/ \(Class .\)/, ''),
      ]),
    )
    for (const row of readTable('sec-company-tickers.csv', ['cik', 'ticker', 'title'] as const)) {
      const [cik, ticker, title] = [`cik:${row.cik}`, row.ticker.replace('-', '.'), row.title]
      if (isFund(title)) {
        this.#declare(`us:${ticker}`, readableName(title), ticker, 'fund')
        this.#list(ticker, `us:${ticker}`)
        continue
      }
      const name = known.get(cik)
      this.#declare(cik, name ?? readableName(title), ticker, 'company')
      this.#list(ticker, cik)
      if (name !== undefined) this.#derive(name, cik, true)
      this.#derive(readableName(title), cik, name !== undefined)
    }
  }

  readListings(): void {
    const rows = readTable('nasdaq-listed.csv', ['Symbol', 'Security Name'] as const)
    for (const row of rows) {
      const ticker = row.Symbol.replace('-', '.')
      if (this.#periods.has(ticker)) continue
      const name = row['Security Name']
      this.#declare(`us:${ticker}`, name, ticker, isFund(name) ? 'fund' : 'other')
      this.#list(ticker, `us:${ticker}`)
    }
  }

  readAliases(): void {
    for (const row of readTable('aliases.csv', ['alias', 'rule', 'instrument'] as const))
      this.#names.set(nameTokens(row.alias).join(' '), {
        written: row.alias,
        instrument: row.instrument,
        rule: ruleOf(row.rule),
      })
  }

  build(): Gazetteer {
    const periods = this.#periods
    return {
      instruments: this.#instruments,
      names: this.#names,
      twins: readTwins(),
      instrumentOf: (ticker, at) => instrumentAt(periods.get(ticker) ?? [], at),
    }
  }

  #declare(id: string, name: string, ticker: string, type: Instrument['type']): void {
    if (!this.#instruments.has(id)) this.#instruments.set(id, { id, name, ticker, type })
  }

  #list(ticker: string, instrument: string): void {
    if (!this.#periods.has(ticker)) this.#periods.set(ticker, [period(instrument, '', '')])
  }

  /** One word alone names only the best known: of ten thousand registrants, too many are called 'Focus' or 'Global'. */
  #derive(registered: string, instrument: string, wellKnown: boolean): void {
    const written = shortName(registered)
    const tokens = nameTokens(written)
    const key = tokens.join(' ')
    if (key.length < 3 || this.#names.has(key)) return
    const rule = tokens.length > 1 || wellKnown ? 'cased' : 'ticker'
    this.#names.set(key, { written, instrument, rule })
  }
}

/** 'us:P-2019' -> 'P'. */
function lastTicker(instrument: string): string | undefined {
  return /^us:([A-Z.]+)/.exec(instrument)?.[1]
}

function readTwins(): ReadonlyMap<string, Twin> {
  return new Map(
    readTable('twins.csv', ['ticker', 'instrument', 'beside'] as const).map((row) => [
      row.ticker,
      { instrument: row.instrument, beside: new Set(row.beside.split(' ')) },
    ]),
  )
}

function isFund(name: string): boolean {
  return /\b(ETF|ETN|ETFs|Fund|iShares|ProShares|Invesco CurrencyShares|SPDR)\b/i.test(name)
}

function typeOf(written: string): Instrument['type'] {
  return written === 'index' || written === 'fund' || written === 'crypto' ? written : 'other'
}

function ruleOf(written: string): NameRule['rule'] {
  return rules.find((rule) => rule === written) ?? 'cased'
}
