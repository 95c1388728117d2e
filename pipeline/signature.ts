/**
 * MinHash (Broder 1997): the share of equal values in two signatures estimates the Jaccard similarity of the two token sets,
 * with a standard error of sqrt(J (1 - J) / signatureLength), at most 0.09.
 */
export const signatureLength = 32

const seeds = Uint32Array.from({ length: signatureLength }, (_, i) =>
  scramble(Math.imul(i + 1, 0x9e3779b1)),
)

/** `signatureLength` unsigned 32-bit values; empty for a text without tokens. Order and repetition of tokens do not matter. */
export function signature(tokens: readonly string[]): number[] {
  if (tokens.length === 0) return []
  const minima = new Uint32Array(signatureLength).fill(0xffffffff)
  for (const token of tokens) {
    const hash = fnv1a(token)
    for (let i = 0; i < signatureLength; i++) {
      const value = scramble(hash ^ (seeds[i] ?? 0))
      if (value < (minima[i] ?? 0)) minima[i] = value
    }
  }
  return Array.from(minima)
}

/** In 0..1. Two texts without tokens count as the same; signatures of different lengths cannot be compared and give 0. */
export function estimatedJaccard(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return 0
  if (a.length === 0) return 1
  return a.filter((value, i) => value === b[i]).length / a.length
}

/** FNV-1a over UTF-16 code units. */
function fnv1a(token: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < token.length; i++) hash = Math.imul(hash ^ token.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** The finaliser of MurmurHash3: a bijection on 32 bits, so that no two tokens collide by it. */
function scramble(value: number): number {
  let h = value ^ (value >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
