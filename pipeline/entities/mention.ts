/** Where a text names an instrument. */
export interface Mention {
  /** Instrument id, such as 'cik:1326801'; 'unresolved:XYZ' for a cashtag nobody knows. */
  readonly instrument: string
  /** As written: '$FB', 'Facebook'. */
  readonly written: string
  readonly how: 'cashtag' | 'name' | 'ticker-field'
  /** Offsets in UTF-16 units of the text; -1 when it came from the post's `tickers` or title. */
  readonly start: number
  readonly end: number
  /** 0..1: how much the post is about this instrument. */
  readonly relevance: number
}

export interface Instrument {
  readonly id: string
  /** The name a person knows: 'Meta Platforms'. */
  readonly name: string
  /** Ticker today, without `$`. */
  readonly ticker: string
  readonly type: 'company' | 'index' | 'fund' | 'crypto' | 'other'
}

export interface Linker {
  /** One mention an instrument (its first), in text order; tickers are read as they were valid at `at`. */
  link(
    post: { readonly text: string; readonly title?: string; readonly tickers?: readonly string[] },
    at: Date,
  ): readonly Mention[]
  instrument(id: string): Instrument | undefined
}
