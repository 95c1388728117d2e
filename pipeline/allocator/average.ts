/** Weighted average of the experts that ran (the linear opinion pool): p = sum of a_i p_i, with the weights a_i renormalised over them. */

export interface Opinion {
  readonly expert: string
  /** Not negative; only its share among the opinions counts. */
  readonly weight: number
  readonly probabilities: readonly number[]
}

/** Weights of the opinions, summing to 1; equal ones where all are 0 (an expert alone on its task decides it, whatever its weight). */
export function renormalised(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => (sum > 0 ? weight / sum : 1 / weights.length))
}

/** The averaged distribution; empty without opinions. */
export function average(opinions: readonly Omit<Opinion, 'expert'>[]): number[] {
  const weights = renormalised(opinions.map(({ weight }) => weight))
  const length = opinions[0]?.probabilities.length ?? 0
  return Array.from({ length }, (_, k) =>
    opinions.reduce(
      (sum, { probabilities }, i) => sum + (weights[i] ?? 0) * (probabilities[k] ?? 0),
      0,
    ),
  )
}
