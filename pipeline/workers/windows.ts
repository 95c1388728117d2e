/** A text of any length is read whole: in windows that an encoder can take, each of which repeats the end of the one before it. */

export interface WindowShape {
  /** Most tokens of a window, the two special ones included. */
  readonly windowTokens: number
  /** Tokens that a window shares with the one before it. */
  readonly overlapTokens: number
  readonly opening: number
  readonly closing: number
}

/** At least one window, so that a text without tokens is read too. */
export function windowsOf(tokens: readonly number[], shape: WindowShape): Int32Array[] {
  const content = shape.windowTokens - 2
  const step = content - shape.overlapTokens
  const windows: Int32Array[] = []
  let start = 0
  do {
    windows.push(enclose(tokens.slice(start, start + content), shape))
    start += step
  } while (start + shape.overlapTokens < tokens.length)
  return windows
}

function enclose(tokens: readonly number[], { opening, closing }: WindowShape): Int32Array {
  return Int32Array.of(opening, ...tokens, closing)
}
