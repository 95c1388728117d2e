/**
 * The temperature that minimises the log-loss of softmax(logits / T) (Guo et al. 2017), by golden-section search on log T in [1/20, 20].
 * With a parent's temperature it is the most probable one under log T ~ Normal(log parent, 0.3): few rows move it little, many rows as far as they say.
 */
import { LogitTable, type Scored } from './logit-table.ts'

const priorDeviation = 0.3

/** Biases, where given, are added to the logits over T and stay as they are. */
export function fitTemperature(
  scored: readonly Scored[] | LogitTable,
  parent?: number,
  biases: readonly number[] = [],
): number {
  const table = scored instanceof LogitTable ? scored : new LogitTable(scored)
  const cost = (logT: number) => {
    const deviation = parent === undefined ? 0 : (logT - Math.log(parent)) / priorDeviation
    return table.loss({ temperature: Math.exp(logT), biases }) + deviation ** 2 / 2
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
