/** Reads the words of SQL that the engine has formatted itself: one line, no comments, its own quoting. */

export interface Words {
  /** Names in backticks or double quotes, as they stand, escapes included. */
  readonly quoted: readonly string[]
  /** Names directly before a bracket. The formatter puts a blank between a keyword and its bracket. */
  readonly called: readonly string[]
}

const pattern =
  /'(?:[^'\\]|\\.|'')*'|(?:`((?:[^`\\]|\\.|``)*)`|"((?:[^"\\]|\\.|"")*)"|([\p{L}_][\p{L}\p{N}_]*))(\()?|[^'"`\p{L}_]|\p{M}/gsuy

/** `undefined` when a quote stays open. */
export function readWords(formatted: string): Words | undefined {
  const quoted: string[] = []
  const called: string[] = []
  let read = 0
  for (const [whole, backticked, doubleQuoted, plain, bracket] of formatted.matchAll(pattern)) {
    read += whole.length
    const name = backticked ?? doubleQuoted
    if (name !== undefined) quoted.push(name)
    if (bracket !== undefined) called.push(name ?? plain ?? '')
  }
  return read === formatted.length ? { quoted, called } : undefined
}
