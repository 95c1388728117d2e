/** Labelled logits as columns, because a fit reads them thousands of times: the log-loss under a map and its slope along the biases. */
import type { LogitMap } from '../experts/logit-map.ts'

export interface Scored {
  readonly logits: ArrayLike<number>
  /** Index of the true label. */
  readonly label: number
}

export class LogitTable {
  readonly rows: number
  readonly labels: number
  /** [rows, labels] */
  readonly #logits: Float64Array
  readonly #truths: Int32Array
  readonly #shifted: Float64Array
  readonly #exponentials: Float64Array

  constructor(scored: readonly Scored[]) {
    this.rows = scored.length
    this.labels = scored[0]?.logits.length ?? 0
    this.#logits = new Float64Array(this.rows * this.labels)
    this.#truths = Int32Array.from(scored, ({ label }) => label)
    this.#shifted = new Float64Array(this.labels)
    this.#exponentials = new Float64Array(this.labels)
    scored.forEach(({ logits }, row) => {
      this.#logits.set(logits, row * this.labels)
    })
  }

  /** Summed over the rows, in nats; a probability of 0 counts as 1e-12. */
  loss(map: LogitMap): number {
    let sum = 0
    for (let row = 0; row < this.rows; row++) {
      const total = this.#exponentiate(row, map)
      const truth = (this.#exponentials[this.#truths[row] ?? 0] ?? 0) / total
      sum -= Math.log(Math.max(truth, 1e-12))
    }
    return sum
  }

  /** Derivative of the loss by each bias: expected less actual rows of the label. */
  excess(map: LogitMap): Float64Array {
    const excess = new Float64Array(this.labels)
    for (let row = 0; row < this.rows; row++) {
      const total = this.#exponentiate(row, map)
      for (let k = 0; k < this.labels; k++)
        excess[k] = (excess[k] ?? 0) + (this.#exponentials[k] ?? 0) / total
      const truth = this.#truths[row] ?? 0
      excess[truth] = (excess[truth] ?? 0) - 1
    }
    return excess
  }

  /** Numerators of the row's probabilities; returns their sum. */
  #exponentiate(row: number, { temperature, biases }: LogitMap): number {
    const start = row * this.labels
    let largest = Number.NEGATIVE_INFINITY
    for (let k = 0; k < this.labels; k++) {
      const shifted = (this.#logits[start + k] ?? 0) + temperature * (biases[k] ?? 0)
      this.#shifted[k] = shifted
      if (shifted > largest) largest = shifted
    }
    let sum = 0
    for (let k = 0; k < this.labels; k++) {
      const value = Math.exp(((this.#shifted[k] ?? 0) - largest) / temperature)
      this.#exponentials[k] = value
      sum += value
    }
    return sum
  }
}
