import { type Cashtag, findCashtags } from './cashtags.ts'
import type { Gazetteer } from './gazetteer.ts'
import type { NameFinder, NameMatch } from './name-finder.ts'
import type { NameRule } from './name-rule.ts'

/** A mention in one text; there may be several of one instrument. */
export interface TextMention {
  readonly instrument: string
  readonly written: string
  readonly how: 'cashtag' | 'name'
  readonly start: number
  readonly end: number
}

export interface Knowledge {
  readonly gazetteer: Gazetteer
  readonly names: NameFinder
}

/** Yahoo's suffixes of exchanges outside the US: `$NEPT.TO` is not the share that trades as NEPT in New York. */
const foreignExchanges = new Set(['TO', 'V', 'CN', 'NE', 'L', 'AX', 'DE', 'PA', 'HK', 'NS', 'BO'])

/** Every mention in a text, in text order; `supported` are instruments the post names in another way (its tickers). */
export function findMentions(
  text: string,
  at: number,
  { gazetteer, names }: Knowledge,
  supported: ReadonlySet<string> = new Set(),
): readonly TextMention[] {
  const tags = findCashtags(text)
  const tickers = new Set(tags.map(({ ticker }) => ticker))
  const byTicker = tags
    .flatMap((tag) => cashtagMention(tag, at, gazetteer, tickers))
    .filter(({ instrument }) => instrument !== '')
  const support = new Set([...supported, ...byTicker.map(({ instrument }) => instrument)])
  const byName = names
    .find(text)
    .flatMap((match) => nameMention(text, match, at, gazetteer, support))
  return [...byTicker, ...byName].sort((a, b) => a.start - b.start)
}

/**
 * What a ticker means: 'unresolved:XYZ' where nobody knows it, '' where a user wants no mention. `beside` are the tickers
 * of the post.
 */
export function resolveTicker(
  ticker: string,
  at: number,
  gazetteer: Gazetteer,
  beside: ReadonlySet<string>,
): string {
  const twin = gazetteer.twins.get(ticker)
  if (twin && [...beside].some((other) => twin.beside.has(other))) return twin.instrument
  return gazetteer.instrumentOf(ticker, at) ?? `unresolved:${ticker}`
}

function cashtagMention(
  tag: Cashtag,
  at: number,
  gazetteer: Gazetteer,
  beside: ReadonlySet<string>,
): readonly TextMention[] {
  const whole = resolveTicker(tag.ticker, at, gazetteer, beside)
  const asWhole = !whole.startsWith('unresolved:') || belongsToTicker(tag)
  const instrument = asWhole ? whole : resolveTicker(tag.base, at, gazetteer, beside)
  const letters = tag.written.slice(0, tag.base.length + 1)
  const written = asWhole ? tag.written : letters
  if (instrument.startsWith('unresolved:') && !looksLikeTicker(letters)) return []
  return [
    { instrument, written, how: 'cashtag', start: tag.start, end: tag.start + written.length },
  ]
}

/** Unlike a share class or the next sentence ('$AAPL.In'), an exchange or `_F` cannot be left off. */
function belongsToTicker({ ticker, base }: Cashtag): boolean {
  const tail = ticker.slice(base.length)
  return tail === '' || tail === '_F' || foreignExchanges.has(tail.slice(1))
}

/** '$lol' and '$BREAKOUT' are words in disguise; an exchange's tickers have at most six letters. */
function looksLikeTicker(written: string): boolean {
  return /^\$[A-Z]{1,6}$/.test(written)
}

function nameMention(
  text: string,
  { rule, start, end, hashtag, supported }: NameMatch,
  at: number,
  gazetteer: Gazetteer,
  support: ReadonlySet<string>,
): readonly TextMention[] {
  if (rule.rule === 'never') return []
  const instrument = rule.instrument.startsWith('$')
    ? gazetteer.instrumentOf(rule.instrument.slice(1), at)
    : rule.instrument
  if (instrument === undefined) return []
  if (!allowed(rule.rule, supported && !hashtag, support.has(instrument))) return []
  return [{ instrument, written: text.slice(start, end), how: 'name', start, end }]
}

function allowed(rule: NameRule['rule'], byWords: boolean, byTicker: boolean): boolean {
  if (rule === 'ticker') return byTicker
  return rule !== 'context' || byWords || byTicker
}
