/** Looks at quoted names in SQL that the engine has formatted itself: one line, no comments, its own quoting. */

/** Whether a quoted name holds an escape: the engine writes control characters so, and they would forge lines of the tree. */
export function hasEscapedName(formatted: string): boolean {
  let quote = ''
  for (let at = 0; at < formatted.length; at++) {
    const character = formatted[at] ?? ''
    if (quote === '') {
      if ('\'`"'.includes(character)) quote = character
    } else if (character === '\\') {
      if (quote !== "'") return true
      at++
    } else if (character === quote) quote = ''
  }
  return quote !== ''
}
