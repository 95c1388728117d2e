/** What a source reads, before it is a post. */
import { createHash } from 'node:crypto'
import type { ItemDate } from './dates.ts'
import { publishedTime, type ReadingTime } from './timing.ts'

export interface Item {
  /** As the publisher tells its items apart. */
  readonly id: string
  readonly text: string
  readonly title?: string | undefined
  readonly url?: string | undefined
  readonly author?: string | undefined
  readonly language?: string | undefined
  readonly kind?: string | undefined
  readonly tickers?: readonly string[] | undefined
  readonly date: ItemDate | undefined
}

/** One thing that a source read: an item, or why it is none. `raw` is what was read, for the dead letter. */
export type Reading =
  | { readonly ok: true; readonly item: Item; readonly raw: string | Uint8Array }
  | { readonly ok: false; readonly reason: string; readonly raw: string | Uint8Array }

/** What every post of a source bears. */
export interface SourceLabel {
  readonly name: string
  readonly source: string
  readonly kind: 'news' | 'comment'
  readonly language: string | undefined
}

const maxIdCharacters = 200

/** Stable, and unique in the monitor: the source's name and the publisher's id, hashed when it is long or holds odd characters. */
export function postIdOf(name: string, id: string): string {
  const plain = `${name}:${id}`
  return plain.length <= maxIdCharacters && /^[\x21-\x7e]+$/.test(id)
    ? plain
    : `${name}:sha256-${shortHash(id, 32)}`
}

/** `length` characters of the SHA-256 in base64url. */
export function shortHash(text: string | Uint8Array, length: number): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, length)
}

/** A candidate for parsePost. */
export function postOf(
  item: Item,
  label: SourceLabel,
  reading: ReadingTime,
  isCorrection: boolean,
): Record<string, unknown> {
  const { publishedMs, history } = publishedTime(item.date, reading)
  const url = item.url !== undefined && /^https?:\/\//i.test(item.url) ? item.url : undefined
  const post = {
    id: postIdOf(label.name, item.id),
    source: label.source,
    kind: item.kind ?? label.kind,
    text: item.text,
    title: item.title || undefined,
    url: url !== undefined && url.length <= 2_000 ? url : undefined,
    author: item.author || undefined,
    language: item.language ?? label.language,
    tickers: item.tickers?.length ? item.tickers : undefined,
    publishedAt: new Date(publishedMs).toISOString(),
    status: isCorrection ? 'corrected' : undefined,
    history: history || undefined,
  }
  return Object.fromEntries(Object.entries(post).filter(([, value]) => value !== undefined))
}
