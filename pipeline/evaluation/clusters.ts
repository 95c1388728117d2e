/** Which texts say the same: the unit of evidence. Holds words of the texts only as long as they are compared. */
import { nearDuplicateClusters, nearDuplicateThreshold } from '../text/near-duplicates.ts'
import { normalisedTokens, textId } from '../text/normalise.ts'

/** Comparing more texts takes gigabytes; beyond it only texts with the same words are one. */
const maxComparedTexts = 100_000

export class TextClusters {
  readonly #maxCompared: number
  readonly #numbers = new Map<string, number>()
  readonly #numberOfRow: number[] = []
  /** By number; undefined once there are too many. */
  #tokens: string[][] | undefined = []

  constructor(maxCompared: number = maxComparedTexts) {
    this.#maxCompared = maxCompared
  }

  add(text: string): void {
    const id = textId(text)
    const known = this.#numbers.get(id)
    const number = known ?? this.#numbers.size
    this.#numberOfRow.push(number)
    if (known !== undefined) return
    this.#numbers.set(id, number)
    if (number < this.#maxCompared) this.#tokens?.push(normalisedTokens(text))
    else this.#tokens = undefined
  }

  /** The cluster of each text, in the order they were added. */
  assign(): { readonly unit: 'near-duplicates' | 'repeats'; readonly clusters: readonly number[] } {
    if (this.#tokens === undefined) return { unit: 'repeats', clusters: this.#numberOfRow }
    const clusters = nearDuplicateClusters(this.#tokens, nearDuplicateThreshold)
    return {
      unit: 'near-duplicates',
      clusters: this.#numberOfRow.map((number) => clusters[number] ?? number),
    }
  }
}
