/** 95% intervals of a share, and of the difference of two shares on the same posts. */
import Type from 'typebox'

export const Interval = Type.Tuple([Type.Number(), Type.Number()], { description: '95%.' })
export type Interval = Type.Static<typeof Interval>

export const Share = Type.Object({
  n: Type.Integer(),
  share: Type.Union([Type.Number(), Type.Null()], { description: 'null where n is 0.' }),
  interval: Type.Union([Interval, Type.Null()]),
})
export type Share = Type.Static<typeof Share>

/** Of two shares on the same posts. */
export const Difference = Type.Object({ difference: Type.Number(), interval: Interval })
export type Difference = Type.Static<typeof Difference>

const z = 1.959964

/** Wilson's score interval (1927): it keeps to [0, 1] and its level with few posts. */
export function proportion(successes: number, n: number): Share {
  if (n === 0) return { n, share: null, interval: null }
  const share = successes / n
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n)
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2))
  return { n, share, interval: [Math.max(0, middle - half), Math.min(1, middle + half)] }
}

/**
 * Share of A minus share of B, where `onlyA` of `n` posts speak for A alone and `onlyB` for B alone: Wald's interval with half a post
 * added to each cell of the paired table (Agresti and Min 2005), which keeps its level where few posts differ. null without posts.
 */
export function pairedDifference(pairs: {
  readonly onlyA: number
  readonly onlyB: number
  readonly n: number
}): Difference | null {
  if (pairs.n === 0) return null
  const [a, b, n] = [pairs.onlyA + 0.5, pairs.onlyB + 0.5, pairs.n + 2]
  const middle = (a - b) / n
  const half = (z / n) * Math.sqrt(a + b - (a - b) ** 2 / n)
  return {
    difference: (pairs.onlyA - pairs.onlyB) / pairs.n,
    interval: [Math.max(-1, middle - half), Math.min(1, middle + half)],
  }
}
