/**
 * The temperature that minimises the log-loss of softmax(logits / T) (Guo et al. 2017), by golden-section search on log T in [1/20, 20].
 * With a parent's temperature it is the most probable one under log T ~ Normal(log parent, 0.3): few rows move it little, many rows as far as they say.
 */
import { softmax } from '../experts/probabilities.ts'

export interface Scored {
  readonly logits: ArrayLike<number>
  readonly label: number
}

const priorDeviation = 0.3

export function fitTemperature(scored: readonly Scored[], parent?: number): number {
  const cost = (logT: number) => {
    const deviation = parent === undefined ? 0 : (logT - Math.log(parent)) / priorDeviation
    return summedLoss(scored, Math.exp(logT)) + deviation ** 2 / 2
  }
  const golden = (Math.sqrt(5) - 1) / 2
  let [low, high] = [-Math.log(20), Math.log(20)]
  while (high - low > 1e-4) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)]
    if (cost(a) < cost(b)) high = b
    else low = a
  }
  return Math.exp((low + high) / 2)
}

function summedLoss(scored: readonly Scored[], temperature: number): number {
  let sum = 0
  for (const { logits, label } of scored)
    sum -= Math.log(Math.max(softmax(logits, temperature)[label] ?? 0, 1e-12))
  return sum
}
