/** Tells new items from repeated and edited ones, by hashes of id and content. */
import { type Item, shortHash } from './item.ts'
import type { SourceState } from './state.ts'

export type Novelty = 'new' | 'corrected' | 'repeated'

/**
 * Of one reading, above any real feed: what is more is left out. With more than are remembered, each item would be forgotten before it
 * comes again, and new at every reading.
 */
export const maxItems = 5_000
/** Also keeps what has left the feed: publishers bring items back. */
const maxRemembered = maxItems
/** A text that differs at every reading (an advertisement in it, a counter) would be corrected for ever. */
const maxCorrections = 20

export class Seen {
  readonly #entries: Map<string, { readonly content: string; readonly corrections: number }>

  constructor(state: SourceState) {
    this.#entries = new Map(
      (state.seen ?? []).map(([id, content, corrections]) => [id, { content, corrections }]),
    )
  }

  /** Remembers the item and says what it is. */
  note(item: Item): Novelty {
    return this.#note(item.id, contentOf(item))
  }

  /** Of something that is no item, known by its bytes. */
  noteRaw(raw: string | Uint8Array): Novelty {
    return this.#note(`raw ${shortHash(raw, 22)}`, '')
  }

  knows(id: string): boolean {
    return this.#entries.has(shortHash(id, 16))
  }

  toState(): NonNullable<SourceState['seen']> {
    return [...this.#entries].map(([id, { content, corrections }]) => [id, content, corrections])
  }

  #note(id: string, content: string): Novelty {
    const key = shortHash(id, 16)
    const known = this.#entries.get(key)
    // What is read again becomes the youngest: the entries of the present document are never forgotten before others.
    this.#entries.delete(key)
    const corrected =
      known !== undefined && known.content !== content && known.corrections < maxCorrections
    this.#entries.set(key, {
      content: known === undefined || corrected ? content : known.content,
      corrections: (known?.corrections ?? 0) + (corrected ? 1 : 0),
    })
    if (this.#entries.size > maxRemembered) this.#forgetOldest()
    if (known === undefined) return 'new'
    return corrected ? 'corrected' : 'repeated'
  }

  #forgetOldest(): void {
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }
}

/** What makes a version for the pipeline, too. */
const contentOf = ({ text, title = '' }: Item): string =>
  shortHash(JSON.stringify([text, title]), 16)
