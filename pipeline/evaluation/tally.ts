/** What answers to labelled texts come to: sums, so that a row may count several times (in a resample), and every figure is made of them alone. */
import { argmax } from '../experts/probabilities.ts'

/** Equal bins of confidence (Guo et al. 2017). */
export const binCount = 10

/** Answers of one judge to labelled texts, as columns: a million rows stay small, and resampling reads them in order. */
export class Outcomes {
  /** Index of the true label. */
  readonly truths: number[] = []
  /** Index of the likeliest label. */
  readonly answers: number[] = []
  /** Probability of the likeliest label. */
  readonly confidences: number[] = []
  /** Negative log-probability of the truth, in nats; a probability of 0 counts as 1e-12. */
  readonly losses: number[] = []
  /** Squared distance to the truth, summed over the labels: 0 to 2 (Brier 1950). */
  readonly distances: number[] = []

  add(truth: number, probabilities: readonly number[]): void {
    const answer = argmax(probabilities)
    this.truths.push(truth)
    this.answers.push(answer)
    this.confidences.push(probabilities[answer] ?? 0)
    this.losses.push(-Math.log(Math.max(probabilities[truth] ?? 0, 1e-12)))
    this.distances.push(
      probabilities.reduce((sum, p, label) => sum + (p - (label === truth ? 1 : 0)) ** 2, 0),
    )
  }
}

export class Tally {
  readonly labels: number
  /** Rows by truth and answer: row-major, [labels, labels]. */
  readonly cells: Float64Array
  /** Of each bin: rows, sum of their confidences, how many were right. */
  readonly binRows = new Float64Array(binCount)
  readonly binConfidence = new Float64Array(binCount)
  readonly binRight = new Float64Array(binCount)
  rows = 0
  loss = 0
  distance = 0

  constructor(labels: number) {
    this.labels = labels
    this.cells = new Float64Array(labels * labels)
  }

  add(outcomes: Outcomes, row: number, times: number): void {
    const truth = outcomes.truths[row] ?? 0
    const answer = outcomes.answers[row] ?? 0
    const confidence = outcomes.confidences[row] ?? 0
    const bin = Math.min(binCount - 1, Math.floor(confidence * binCount))
    increase(this.cells, truth * this.labels + answer, times)
    increase(this.binRows, bin, times)
    increase(this.binConfidence, bin, times * confidence)
    if (answer === truth) increase(this.binRight, bin, times)
    this.rows += times
    this.loss += times * (outcomes.losses[row] ?? 0)
    this.distance += times * (outcomes.distances[row] ?? 0)
  }

  clear(): void {
    for (const sums of [this.cells, this.binRows, this.binConfidence, this.binRight]) sums.fill(0)
    this.rows = 0
    this.loss = 0
    this.distance = 0
  }
}

/** Every named row once. */
export function tallyOf(outcomes: Outcomes, labels: number, rows: Iterable<number>): Tally {
  const tally = new Tally(labels)
  for (const row of rows) tally.add(outcomes, row, 1)
  return tally
}

function increase(sums: Float64Array, index: number, by: number): void {
  sums[index] = (sums[index] ?? 0) + by
}
