export const rules = ['any', 'cased', 'context', 'ticker', 'never'] as const

/**
 * When a name counts as a mention:
 * - `any`: in any case: 'netflix'.
 * - `cased`: written with the capitals of a name, or all in capitals: 'Ford', not 'ford'.
 * - `context`: also a common word, so besides the capital it wants a word such as 'shares' behind it, a possessive, or
 *   the same instrument by its ticker in the same post: 'Target shares', "Gap's", 'Square $SQ'.
 * - `ticker`: the capital, and the same instrument by its ticker in the same post: 'Materion Corp $MTRN'.
 * - `never`: not a mention; hides shorter names inside it: 'Dow Theory'.
 */
export interface NameRule {
  readonly written: string
  readonly instrument: string
  readonly rule: (typeof rules)[number]
}

/** `&amp;` is one token that reads '&', so that names match in texts with HTML entities and offsets stay those of the text. */
export const tokenPattern = /&amp;|[\p{L}\p{N}]+|[&+]/gu

/** The lower-case tokens of a name: "McDonald's" -> ['mcdonald', 's']. */
export function nameTokens(name: string): readonly string[] {
  return (name.match(tokenPattern) ?? []).map(tokenKey)
}

export function tokenKey(token: string): string {
  return token === '&amp;' ? '&' : token.toLowerCase()
}
