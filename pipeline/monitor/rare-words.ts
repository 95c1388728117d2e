/**
 * How many words of a text training hardly knew, as a share. A word that training never saw falls on a bucket of the linear model that other n-grams have
 * left, most of them rare ones: 19 in 20 have at least the value (inverse document frequency) that counts as rare here. Words that training saw often have
 * less. Of the bundled comments 15% of words count as rare, of texts in other languages 63 to 84%.
 */
import type { LinearParameters } from '../experts/linear-model.ts'
import { bucketCount, NgramExtractor } from '../experts/ngrams.ts'

const share = 0.05

export class RareWords {
  readonly #extractor: NgramExtractor
  /** By bucket of a word. */
  readonly #isRare: Uint8Array

  constructor({ ngrams, heads, table }: Pick<LinearParameters, 'ngrams' | 'heads' | 'table'>) {
    const columns = heads.reduce((sum, { labels }) => sum + labels, 0)
    const values = new Uint8Array(2 ** ngrams.wordBits)
    for (let bucket = 0; bucket < values.length; bucket++)
      values[bucket] = table[bucket * (columns + 1) + columns] ?? 0
    const rare = values.toSorted()[Math.floor(share * values.length)] ?? 0
    this.#isRare = values.map((value) => Number(value >= rare))
    const never = bucketCount(ngrams)
    this.#extractor = new NgramExtractor({
      ...ngrams,
      wordLength: 1,
      pairGap: 0,
      charFrom: never,
      charTo: never,
    })
  }

  /** Of a cleaned text; undefined for one without words. */
  share(cleaned: string): number | undefined {
    const extractor = this.#extractor
    extractor.extract(cleaned)
    if (extractor.count === 0) return undefined
    let rare = 0
    for (let i = 0; i < extractor.count; i++) rare += this.#isRare[extractor.buckets[i] ?? 0] ?? 0
    return rare / extractor.count
  }
}
