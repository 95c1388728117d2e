export interface Cashtag {
  readonly written: string
  /** Upper case, share class after a dot: '$brk-b' -> 'BRK.B'. */
  readonly ticker: string
  /** The letters before the dot: 'BRK'; the whole ticker where there is none. */
  readonly base: string
  readonly start: number
}

/**
 * A `$` that does not stand inside a word ('U$D', 'HEI$T'), letters, and at most digits ('$SPX500'), a share class
 * or the `_F` of futures. A tag the source cut off ('$TS…') names nothing.
 */
const pattern =
  /(?<![\p{L}\p{N}_$])\$([A-Za-z]{1,9})(\d{1,3}|[._\-/][A-Za-z]{1,2})?(?![\p{L}\p{N}_$…]|!\p{L})/gu

export function findCashtags(text: string): readonly Cashtag[] {
  return [...text.matchAll(pattern)].map((match) => {
    const letters = (match[1] ?? '').toUpperCase()
    const tail = (match[2] ?? '').toUpperCase()
    return {
      written: match[0],
      ticker: letters + tail.replace(/^[-/]/, '.'),
      base: /^[._\-/]/.test(tail) ? letters : letters + tail,
      start: match.index,
    }
  })
}
