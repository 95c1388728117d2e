/**
 * Clusters of near-duplicate texts: every pair whose token sets have a Jaccard similarity at or above the threshold is joined, transitively.
 * The join is exact. Two sets with J >= t share at least one of their rarest n - ceil(t n) + 1 tokens (prefix filtering, Chaudhuri et al. 2006),
 * so only texts that meet in that prefix are compared: no pair is missed, as a MinHash index would miss some.
 */

/**
 * Jaccard similarity from which two texts are one. At 0.6 different companies' notices of one template chain into clusters of more than
 * a hundred; at 0.8 the same notice with another date or ticker falls apart, and with it the same label would stand on both sides.
 */
export const nearDuplicateThreshold = 0.7

/** Per text, the index of its cluster's first text. Texts without tokens form one cluster. */
export function nearDuplicateClusters(
  texts: readonly (readonly string[])[],
  threshold: number,
): Int32Array {
  const sets = texts.map((tokens) => [...new Set(tokens)])
  const frequency = new Map<string, number>()
  for (const set of sets)
    for (const token of set) frequency.set(token, (frequency.get(token) ?? 0) + 1)
  const rarestFirst = (a: string, b: string) =>
    (frequency.get(a) ?? 0) - (frequency.get(b) ?? 0) || (a < b ? -1 : 1)
  for (const set of sets) set.sort(rarestFirst)

  const clusters = new UnionFind(texts.length)
  const inPrefix = new Map<string, number[]>()
  let firstEmpty = -1
  sets.forEach((set, index) => {
    if (set.length === 0) {
      if (firstEmpty < 0) firstEmpty = index
      clusters.join(firstEmpty, index)
    }
    const tokens = new Set(set)
    const compared = new Set<number>()
    for (const token of set.slice(0, set.length - Math.ceil(threshold * set.length - 1e-9) + 1)) {
      const others = inPrefix.get(token) ?? []
      for (const other of others) {
        if (compared.has(other) || clusters.find(other) === clusters.find(index)) continue
        compared.add(other)
        if (jaccard(tokens, sets[other] ?? []) >= threshold) clusters.join(other, index)
      }
      others.push(index)
      inPrefix.set(token, others)
    }
  })
  return Int32Array.from(texts, (_, index) => clusters.find(index))
}

function jaccard(a: ReadonlySet<string>, b: readonly string[]): number {
  const shared = b.filter((token) => a.has(token)).length
  return shared / (a.size + b.length - shared)
}

/** Roots are the smallest index of their set, so that the answer does not depend on the order of joins. */
class UnionFind {
  readonly #parents: Int32Array

  constructor(size: number) {
    this.#parents = Int32Array.from({ length: size }, (_, i) => i)
  }

  find(index: number): number {
    let root = index
    while (this.#parent(root) !== root) root = this.#parent(root)
    for (let at = index; at !== root; ) {
      const next = this.#parent(at)
      this.#parents[at] = root
      at = next
    }
    return root
  }

  join(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)]
    this.#parents[Math.max(x, y)] = Math.min(x, y)
  }

  #parent(index: number): number {
    return this.#parents[index] ?? index
  }
}
