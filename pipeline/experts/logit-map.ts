/**
 * From a head's logits to probabilities: p = softmax(logits / T + b), defined once for serving and fitting. Temperature scaling (Guo et al. 2017);
 * with biases, bias-corrected temperature scaling (Alexandari et al. 2020): a kind whose labels are mixed otherwise than in training needs
 * probability moved from one label to another, which no temperature can do.
 */
import { softmax } from './probabilities.ts'

export interface LogitMap {
  readonly temperature: number
  /** One a label; empty for none. */
  readonly biases: readonly number[]
}

export function mapLogits(logits: ArrayLike<number>, { temperature, biases }: LogitMap): number[] {
  const shifted = Array.from(logits, (logit, k) => logit + temperature * (biases[k] ?? 0))
  return softmax(shifted, temperature)
}
