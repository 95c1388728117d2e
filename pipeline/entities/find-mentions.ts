import { type Cashtag, findCashtags } from './cashtags.ts'
import type { Gazetteer } from './gazetteer.ts'
import type { NameFinder, NameMatch } from './name-finder.ts'

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
  const tickers = new Set(tags.map(({ base }) => base))
  const byTicker = tags
    .flatMap((tag) => cashtagMention(tag, at, gazetteer, tickers))
    .filter(({ instrument }) => instrument !== '')
  const support = new Set([...supported, ...byTicker.map(({ instrument }) => instrument)])
  const byName = names
    .find(text)
    .flatMap((match) => nameMention(text, match, at, gazetteer, support))
  return [...byTicker, ...byName].sort((a, b) => a.start - b.start)
}

/** What a ticker means; 'unresolved:XYZ' where nobody knows it, '' where a user wants no mention. `beside` are the other tickers of the post. */
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
  const mention = (instrument: string, written: string): TextMention => ({
    instrument,
    written,
    how: 'cashtag',
    start: tag.start,
    end: tag.start + written.length,
  })
  if (!whole.startsWith('unresolved:')) return [mention(whole, tag.written)]
  const baseWritten = tag.written.slice(0, tag.base.length + 1)
  if (!foreignExchanges.has(tag.ticker.slice(tag.base.length + 1))) {
    const base = resolveTicker(tag.base, at, gazetteer, beside)
    if (!base.startsWith('unresolved:')) return [mention(base, baseWritten)]
  }
  return looksLikeTicker(baseWritten) ? [mention(whole, tag.written)] : []
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
  if (rule.rule === 'context' && (hashtag || !supported) && !support.has(instrument)) return []
  return [{ instrument, written: text.slice(start, end), how: 'name', start, end }]
}
