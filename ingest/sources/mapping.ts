/** From a JSON document of foreign shape to an item, by the rules of the configuration. */
import { Pointer } from 'typebox/value'
import type { DateRule, FieldRule, Mapping } from '../../infra/config-sources.ts'
import { kinds, maxTextLength } from '../contract.ts'
import { type DateOptions, dateOfNumber, type ItemDate, parseItemDate } from './dates.ts'
import type { Item } from './item.ts'
import { lineOfHtml, plainLine, plainText, textOfHtml } from './plain-text.ts'

export type Mapped =
  | { readonly ok: true; readonly item: Item }
  | { readonly ok: false; readonly reason: string }

const limits = { title: 1_000, url: 2_000, author: 200, language: 35, tickers: 20 } as const
const maxTickers = 50

/** `fallbackId` where the mapping names no id. A reason holds nothing of the document. */
export function mapItem(
  mapping: Mapping,
  document: unknown,
  options: DateOptions & { readonly fallbackId: string },
): Mapped {
  const id = mapping.id === undefined ? options.fallbackId : scalar(mapping.id, document)
  if (id === undefined || id === '') return { ok: false, reason: 'id: nothing at its place' }
  const text = textAt(mapping.text, document)
  const title = lineAt(mapping.title, document, limits.title)
  if (text === '' && title === undefined)
    return { ok: false, reason: 'text: nothing at its place, and no title' }
  const kind = lineAt(mapping.kind, document, limits.language)
  if (kind !== undefined && !kinds.some((known) => known === kind))
    return { ok: false, reason: `kind: must be one of ${kinds.join(', ')}` }
  const item: Item = {
    id,
    text: text === '' ? (title ?? '') : text,
    title: text === '' ? undefined : title,
    url: lineAt(mapping.url, document, limits.url),
    author: lineAt(mapping.author, document, limits.author),
    language: lineAt(mapping.language, document, limits.language),
    kind,
    tickers: tickersAt(mapping.tickers, document),
    date: dateAt(mapping.publishedAt, document, options),
  }
  return { ok: true, item }
}

function valueAt(rule: FieldRule, document: unknown): unknown {
  if (typeof rule === 'string') return Pointer.Get(document, rule)
  return 'value' in rule ? rule.value : Pointer.Get(document, rule.at)
}

/** Strings and numbers; everything else is nothing. */
function scalar(rule: FieldRule, document: unknown): string | undefined {
  const value = valueAt(rule, document)
  if (typeof value === 'string') return value
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

const isHtml = (rule: FieldRule): boolean =>
  typeof rule === 'object' && 'html' in rule && rule.html === true

function textAt(rule: FieldRule, document: unknown): string {
  const text = scalar(rule, document) ?? ''
  return isHtml(rule) ? textOfHtml(text, maxTextLength) : plainText(text, maxTextLength)
}

function lineAt(
  rule: FieldRule | undefined,
  document: unknown,
  maxCharacters: number,
): string | undefined {
  const text = rule === undefined ? undefined : scalar(rule, document)
  if (rule === undefined || text === undefined) return undefined
  const line = isHtml(rule) ? lineOfHtml(text, maxCharacters) : plainLine(text, maxCharacters)
  return line === '' ? undefined : line
}

/** A list of strings, or one string of several, parted by commas or spaces. */
function tickersAt(rule: FieldRule | undefined, document: unknown): string[] | undefined {
  if (rule === undefined) return undefined
  const value = valueAt(rule, document)
  const words =
    typeof value === 'string' ? value.split(/[\s,;]+/) : Array.isArray(value) ? value : []
  const tickers = words
    .filter((word) => typeof word === 'string')
    .map((word) => plainLine(word, limits.tickers + 1))
    .filter((ticker) => ticker !== '' && ticker.length <= limits.tickers)
  return [...new Set(tickers)].slice(0, maxTickers)
}

function dateAt(rule: DateRule, document: unknown, options: DateOptions): ItemDate | undefined {
  const { at, format } = typeof rule === 'string' ? { at: rule, format: 'text' as const } : rule
  const value = Pointer.Get(document, at)
  if (format === 'text')
    return typeof value === 'string' ? parseItemDate(value, options) : undefined
  const isNumber = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
  return isNumber ? dateOfNumber(Number(value), format === 'unixSeconds' ? 1_000 : 1) : undefined
}
