/** The source `json-poller`: an HTTP API that lists items as JSON, newest first, page by page. */
import { Pointer } from 'typebox/value'
import type { Clock } from '../../infra/clock.ts'
import type { JsonPollerSource } from '../../infra/config-sources.ts'
import { decodeDocument } from './charset.ts'
import type { Document, Fetcher } from './http.ts'
import { type Reading, shortHash } from './item.ts'
import { labelOf, readingTime } from './label.ts'
import { mapItem } from './mapping.ts'
import { maxItems, Seen } from './novelty.ts'
import { newestMs, sift } from './sift.ts'
import { type RunContext, type Source, SourceError } from './source.ts'
import type { SourceState } from './state.ts'

/** `{since}` reaches back behind the newest known item by this: items do not appear in order of their dates. */
const overlapMs = 15 * 60_000
const hourMs = 3_600_000

type Secrets = () => Readonly<Record<string, string>>

export function createJsonPoller(
  config: JsonPollerSource,
  deps: {
    readonly fetcher: Fetcher
    readonly clock: Clock
    readonly headers: Secrets
    /** Parameters of the address. */
    readonly query: Secrets
  },
): Source {
  const { fetcher, clock, headers, query } = deps
  const { name, paging, mapping } = config
  const maxPages = paging?.maxPages ?? 1

  /** Resolves with every item of the pages up to the first known one. */
  async function readPages(state: SourceState, context: RunContext): Promise<Pages> {
    const seen = new Seen(state)
    const sinceMs = sinceOf(state, config, clock())
    const readings: Reading[] = []
    let address: string | undefined = fill(config.url, { sinceMs, page: 1, cursor: '' })
    let validators: SourceState['validators']
    for (let page = 1; address !== undefined; page++) {
      if (page > maxPages) {
        context.onOddity(`more than ${maxPages} pages of new items: what is older was not read`)
        break
      }
      const document = await fetcher.get(withQuery(address, query()), {
        headers: headers(),
        validators: page === 1 ? state.validators : undefined,
        minIntervalMs: config.minIntervalMs,
        signal: context.signal,
      })
      if (document === undefined) return { readings, validators: state.validators }
      if (page === 1) validators = document.validators
      const body = jsonOf(document, name)
      const items = itemsOf(body, config)
      const room = maxItems - readings.length
      readings.push(...items.slice(0, room))
      const known = items.some((reading) => reading.ok && seen.knows(reading.item.id))
      if (items.length === 0 || known) break
      address = nextAddress(config, { body, page, sinceMs, from: document.url })
      if (items.length > room || (room === items.length && address !== undefined)) {
        context.onOddity(`more than ${maxItems} new items: what is older was not read`)
        break
      }
    }
    return { readings, validators }
  }

  async function run(context: RunContext): Promise<void> {
    const state = await context.load()
    const { readings, validators } = await readPages(state, context)
    const nowMs = clock()
    const seen = new Seen(state)
    const time = readingTime(config, { nowMs, state, outageMs: context.outageMs })
    const { rows, counts } = sift(readings, { seen, label: labelOf(config), time })
    const { refused } = await context.delivery.deliver(rows, context.signal)
    context.onReading({ ...counts, refused })
    const newest = Math.max(newestMs(readings, nowMs) ?? -Infinity, state.newestMs ?? -Infinity)
    // Only when all pages are in the log: otherwise the next reading would stop before those that are missing.
    await context.save({
      ...state,
      ...(validators && { validators }),
      ...(Number.isFinite(newest) && { newestMs: newest }),
      seen: seen.toState(),
      lastSuccessMs: nowMs,
    })
  }

  function itemsOf(body: unknown, { items, datesWithoutZone }: JsonPollerSource): Reading[] {
    const list = Pointer.Get(body, items)
    if (!Array.isArray(list)) throw new SourceError(`${name}: no list of items at its place`)
    return list.slice(0, maxItems + 1).map((document) => {
      const raw = JSON.stringify(document)
      const options = { withoutZone: datesWithoutZone, fallbackId: shortHash(raw, 32) }
      return { ...mapItem(mapping, document, options), raw }
    })
  }

  return { schedule: config.schedule, run, preview: run }
}

interface Pages {
  readonly readings: readonly Reading[]
  readonly validators: SourceState['validators']
}

function sinceOf(state: SourceState, { lookbackHours }: JsonPollerSource, nowMs: number): number {
  const longestAgo = nowMs - lookbackHours * hourMs
  return state.newestMs === undefined ? longestAgo : state.newestMs - overlapMs
}

interface Place {
  readonly sinceMs: number
  readonly page: number
  readonly cursor: string
}

function fill(template: string, { sinceMs, page, cursor }: Place): string {
  const values: Readonly<Record<string, string>> = {
    since: new Date(sinceMs).toISOString(),
    sinceSeconds: String(Math.floor(sinceMs / 1_000)),
    page: String(page),
    cursor,
  }
  return template.replace(/\{(since|sinceSeconds|page|cursor)\}/g, (_all, key: string) =>
    encodeURIComponent(values[key] ?? ''),
  )
}

function nextAddress(
  config: JsonPollerSource,
  at: {
    readonly body: unknown
    readonly page: number
    readonly sinceMs: number
    readonly from: string
  },
): string | undefined {
  const { url, paging } = config
  const place = { sinceMs: at.sinceMs, page: at.page + 1 }
  if (paging?.next !== undefined) return linkOf(Pointer.Get(at.body, paging.next), at.from, config)
  if (paging?.cursor !== undefined) {
    const value = Pointer.Get(at.body, paging.cursor)
    const cursor = typeof value === 'number' ? String(value) : value
    return typeof cursor === 'string' && cursor !== '' ? fill(url, { ...place, cursor }) : undefined
  }
  return paging !== undefined && url.includes('{page}')
    ? fill(url, { ...place, cursor: '' })
    : undefined
}

/** Only of the origin that is configured, wherever a redirect led: its secrets go along. */
function linkOf(
  link: unknown,
  from: string,
  { name, url: configured }: JsonPollerSource,
): string | undefined {
  if (typeof link !== 'string' || link === '') return undefined
  const next = URL.canParse(link, from) ? new URL(link, from) : undefined
  if (next === undefined || next.origin !== new URL(configured).origin)
    throw new SourceError(`${name}: its next page is elsewhere`)
  return next.href
}

function withQuery(address: string, query: Readonly<Record<string, string>>): string {
  const url = new URL(address)
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
  return url.href
}

function jsonOf(document: Document, name: string): unknown {
  try {
    return JSON.parse(decodeDocument(document.body, document.contentType))
  } catch {
    throw new SourceError(`${name}: the answer is no JSON`)
  }
}
