/** Strangers' text on one line of a terminal, log or mail: it moves no cursor, colours nothing and reorders nothing. */
export function inert(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
