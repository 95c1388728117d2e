/** Items of RSS 2.0, RSS 1.0 (RDF), Atom and JSON Feed. The one file that imports feedsmith. */
import { type AtomFeed, type JsonFeed, parseFeed, type RdfFeed, type RssFeed } from 'feedsmith'
import { maxTextLength } from '../contract.ts'
import { type DateOptions, parseItemDate } from './dates.ts'
import type { Item, Reading } from './item.ts'
import { shortHash } from './item.ts'
import { maxItems } from './novelty.ts'
import { lineOfHtml, plainLine, plainText, textOfHtml } from './plain-text.ts'

const maxTitle = 1_000
const maxAuthor = 200

export interface FeedDocument {
  readonly text: string
  /** Where it came from: the base of relative links that have none of their own. */
  readonly url: string
}

/** What a format says of an item, not yet made plain. */
interface Entry {
  readonly id?: string | undefined
  readonly link?: string | undefined
  /** The base that the item's own link starts from. */
  readonly base: string
  readonly title: string
  readonly body: string
  readonly author?: string | undefined
  readonly dates: readonly (string | undefined)[]
}

export type FeedReading = Reading & { readonly link: string | undefined }

/** In the order of the document. Undefined for what is no feed. */
export function readFeed(document: FeedDocument, dates: DateOptions): FeedReading[] | undefined {
  const entries = entriesOf(document)
  return entries?.slice(0, maxItems).map((entry) => readEntry(entry, dates))
}

function entriesOf({ text, url }: FeedDocument): Entry[] | undefined {
  let parsed: ReturnType<typeof parseFeed<string>>
  try {
    parsed = parseFeed<string>(text)
  } catch {
    return undefined // Its messages may quote the document.
  }
  switch (parsed.format) {
    case 'rss':
      return rssEntries(parsed.feed, url)
    case 'rdf':
      return rdfEntries(parsed.feed, url)
    case 'atom':
      return atomEntries(parsed.feed, url)
    case 'json':
      return jsonEntries(parsed.feed, url)
  }
}

function readEntry(entry: Entry, options: DateOptions): FeedReading {
  const raw = JSON.stringify(entry)
  const link = resolve(entry.link, entry.base)
  const text = entry.body === '' ? entry.title : entry.body
  if (text === '') return { ok: false, reason: 'neither title nor text', raw, link }
  const item: Item = {
    id: entry.id?.trim() || link || `${shortHash(JSON.stringify([entry.title, entry.dates]), 32)}`,
    text,
    title: entry.body === '' ? undefined : entry.title,
    url: link,
    author: entry.author,
    date: firstDate(entry.dates, options),
  }
  return { ok: true, item, raw, link }
}

function firstDate(texts: readonly (string | undefined)[], options: DateOptions) {
  for (const text of texts) {
    const date = text === undefined ? undefined : parseItemDate(text, options)
    if (date !== undefined) return date
  }
  return undefined
}

/** An absolute web address; undefined for anything else. */
function resolve(link: string | undefined, base: string): string | undefined {
  const text = link?.trim() ?? ''
  if (text === '' || !URL.canParse(text, base)) return undefined
  const url = new URL(text, base)
  return /^https?:$/.test(url.protocol) ? url.href : undefined
}

/** `own` where it is an address, on its own or relative to `base`. */
const baseOf = (own: string | undefined, base: string): string => resolve(own, base) ?? base

const html = (text = ''): string => textOfHtml(text, maxTextLength)
const titleLine = (text = ''): string => lineOfHtml(text, maxTitle)
const nameLine = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : plainLine(text, maxAuthor)

/** The first that says something: a summary, where there is one, is what its author would have read. */
function bodyOf(...texts: readonly (string | undefined)[]): string {
  for (const text of texts) {
    const plain = html(text)
    if (plain !== '') return plain
  }
  return ''
}

function rssEntries(feed: RssFeed.Feed<string>, url: string): Entry[] {
  const channel = baseOf(feed.xml?.base, baseOf(feed.link, url))
  return (feed.items ?? []).map((item) => ({
    id: item.guid?.value,
    // A permalink guid is the address where an item names no other.
    link:
      item.link ?? (item.guid?.isPermaLink === false ? undefined : webAddress(item.guid?.value)),
    base: baseOf(item.xml?.base, channel),
    title: titleLine(item.title),
    body: bodyOf(item.description, item.content?.encoded),
    author: nameLine(item.dc?.creators?.[0] ?? item.authors?.[0]?.name ?? item.authors?.[0]?.email),
    dates: [item.pubDate, ...(item.dc?.dates ?? []), item.atom?.published, item.atom?.updated],
  }))
}

function rdfEntries(feed: RdfFeed.Feed<string>, url: string): Entry[] {
  const channel = baseOf(feed.xml?.base, baseOf(feed.link, url))
  return (feed.items ?? []).map((item) => ({
    id: item.rdf?.about,
    link: item.link ?? item.rdf?.about,
    base: baseOf(item.xml?.base, channel),
    title: titleLine(item.title),
    body: bodyOf(item.description, item.content?.encoded),
    author: nameLine(item.dc?.creators?.[0]),
    dates: [...(item.dc?.dates ?? []), item.atom?.published, item.atom?.updated],
  }))
}

interface AtomText {
  readonly value?: string
  readonly type?: string
}

function atomEntries(feed: AtomFeed.Feed<string>, url: string): Entry[] {
  const base = baseOf(feed.xml?.base, url)
  return (feed.entries ?? []).map((entry) => ({
    id: entry.id,
    link: entry.links?.find(({ rel = 'alternate' }) => rel === 'alternate')?.href,
    base: baseOf(entry.xml?.base, base),
    title: isMarkup(entry.title)
      ? titleLine(entry.title?.value)
      : plainLine(entry.title?.value ?? '', maxTitle),
    body: atomBody(entry.summary) || atomBody(entry.content),
    author: nameLine(entry.authors?.[0]?.name ?? feed.authors?.[0]?.name),
    dates: [entry.published, entry.updated],
  }))
}

/** Without a type a text is plain: then `<` is a character of it. Content in another language (base64, XML) is no text. */
function atomBody(text: AtomText | undefined): string {
  if (text?.value === undefined) return ''
  const type = text.type ?? 'text'
  if (isMarkup(text)) return html(text.value)
  return type === 'text' || type.startsWith('text/') ? plainText(text.value, maxTextLength) : ''
}

const isMarkup = (text: AtomText | undefined): boolean =>
  /^(x?html|text\/html|application\/xhtml\+xml)$/.test(text?.type ?? 'text')

function jsonEntries(feed: JsonFeed.Feed<string>, url: string): Entry[] {
  const base = baseOf(feed.home_page_url, url)
  return (feed.items ?? []).map((item) => ({
    id: item.id,
    link: item.url ?? item.external_url,
    base,
    title: plainLine(item.title ?? '', maxTitle),
    body:
      plainText(item.summary ?? item.content_text ?? '', maxTextLength) || html(item.content_html),
    author: nameLine(item.authors?.[0]?.name ?? feed.authors?.[0]?.name),
    dates: [item.date_published, item.date_modified],
  }))
}

const webAddress = (text: string | undefined): string | undefined =>
  text !== undefined && /^https?:\/\//i.test(text.trim()) ? text : undefined
