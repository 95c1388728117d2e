/** Multinomial logistic regression on a few dense features, by plain gradient descent on the mean log-loss. */
import { dot } from '../experts/lexicon.ts'
import { softmax } from '../experts/probabilities.ts'

export interface Observation {
  readonly features: readonly number[]
  readonly label: number
}

/** A row of weights a label. Features should be of the order of 1. */
export function fitLogistic(observations: readonly Observation[], labels: number): number[][] {
  const width = observations[0]?.features.length ?? 0
  const weights = Array.from({ length: labels }, () => new Array<number>(width).fill(0))
  const steps = 1_500
  const rate = 1
  for (let step = 0; step < steps; step++) {
    const gradient = weights.map((row) => row.map(() => 0))
    for (const { features, label } of observations) {
      const probabilities = softmax(weights.map((row) => dot(row, features)))
      gradient.forEach((row, k) => {
        const error = (probabilities[k] ?? 0) - (k === label ? 1 : 0)
        features.forEach((feature, j) => {
          row[j] = (row[j] ?? 0) + error * feature
        })
      })
    }
    weights.forEach((row, k) => {
      row.forEach((weight, j) => {
        row[j] = weight - (rate * (gradient[k]?.[j] ?? 0)) / observations.length
      })
    })
  }
  return weights
}
