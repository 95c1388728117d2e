/** Isotonic regression by pooling adjacent violators (Ayer et al. 1955). */

export interface Level {
  readonly value: number
  readonly weight: number
}

/** The values never ascending that are closest to the given ones in weighted least squares, in their order. */
export function descending(levels: readonly Level[]): number[] {
  const pools: { sum: number; weight: number; length: number }[] = []
  for (const { value, weight } of levels) {
    let pool = { sum: value * weight, weight, length: 1 }
    for (
      let last = pools.at(-1);
      last !== undefined && meanOf(last) < meanOf(pool);
      last = pools.at(-1)
    ) {
      pools.pop()
      pool = {
        sum: last.sum + pool.sum,
        weight: last.weight + pool.weight,
        length: last.length + pool.length,
      }
    }
    pools.push(pool)
  }
  return pools.flatMap((pool) => new Array<number>(pool.length).fill(meanOf(pool)))
}

function meanOf({ sum, weight }: { readonly sum: number; readonly weight: number }): number {
  return sum / weight
}
