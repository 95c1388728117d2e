/**
 * Multinomial logistic regression over hashed n-grams, for all tasks at once. With the n-grams j of a text, their values v_j (group weight times
 * inverse document frequency) and rows w_j: logits = bias + (sum of v_j w_j) / sqrt(sum of v_j^2).
 */
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import { NgramExtractor, type NgramSpec } from './ngrams.ts'
import { softmax } from './probabilities.ts'

export interface Head {
  readonly task: Task
  readonly labels: number
  readonly biases: readonly number[]
  /** Weight of one step of a quantised value, by label. */
  readonly scales: readonly number[]
  readonly temperatures: Readonly<Record<Post['kind'], number>>
}

/** A row a bucket: one signed byte a label, heads in order, and a last unsigned byte: the n-gram's value, in steps of any size (the norm takes it out). */
export interface LinearParameters {
  readonly ngrams: NgramSpec
  readonly heads: readonly Head[]
  readonly table: Int8Array
}

export class LinearModel {
  readonly #parameters: LinearParameters
  readonly #extractor: NgramExtractor
  readonly #columns: number
  /** Whole numbers: 65,000 n-grams of a text fit, `openingLength` gives a quarter of it. */
  readonly #sums: Int32Array

  constructor(parameters: LinearParameters) {
    this.#parameters = parameters
    this.#extractor = new NgramExtractor(parameters.ngrams)
    this.#columns = parameters.heads.reduce((sum, head) => sum + head.labels, 0)
    this.#sums = new Int32Array(this.#columns)
  }

  /** Calibrated probabilities by task of a cleaned text. A text without n-grams gets those of the biases. */
  probabilities(cleaned: string, kind: Post['kind']): Partial<Record<Task, number[]>> {
    const norm = this.#sum(cleaned)
    const result: Partial<Record<Task, number[]>> = {}
    let column = 0
    for (const head of this.#parameters.heads) {
      const logits = head.biases.map(
        (bias, k) => bias + ((this.#sums[column + k] ?? 0) * (head.scales[k] ?? 0)) / norm,
      )
      result[head.task] = softmax(logits, head.temperatures[kind])
      column += head.labels
    }
    return result
  }

  /** Fills the sums of the quantised rows, one a label; returns the norm to divide them by. */
  #sum(cleaned: string): number {
    const { table } = this.#parameters
    const columns = this.#columns
    const sums = this.#sums.fill(0)
    const extractor = this.#extractor
    extractor.extract(cleaned)
    const { buckets, count } = extractor
    let squares = 0
    for (let i = 0; i < count; i++) {
      const row = Math.imul(buckets[i] ?? 0, columns + 1)
      const steps = (table[row + columns] ?? 0) & 0xff
      squares += steps * steps
      for (let k = 0; k < columns; k++)
        sums[k] = (sums[k] ?? 0) + Math.imul(steps, table[row + k] ?? 0)
    }
    return squares === 0 ? 1 : Math.sqrt(squares)
  }
}
