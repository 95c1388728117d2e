/** Plain functions on probability vectors and logits. */

/** exp(logit / temperature), normalised; safe for large logits. */
export function softmax(logits: ArrayLike<number>, temperature = 1): number[] {
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i] ?? 0)
  const exponentials: number[] = []
  let sum = 0
  for (let i = 0; i < logits.length; i++) {
    const value = Math.exp(((logits[i] ?? 0) - largest) / temperature)
    exponentials.push(value)
    sum += value
  }
  return exponentials.map((value) => value / sum)
}

/** Logits of a distribution; a probability of 0 counts as 1e-12. */
export function logarithms(probabilities: readonly number[]): number[] {
  return probabilities.map((p) => Math.log(Math.max(p, 1e-12)))
}

/** Index of the largest value; the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i
  return best
}
