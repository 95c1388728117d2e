/**
 * Weights by descent on the log-loss of the average after a temperature: a = softmax(u), m = sum of a_i p_i, q proportional to m^(1/T), and u and
 * log T are found together, from equal weights and T = 1. Softmax keeps the weights positive and their sum 1.
 */
import { rounded } from '../evaluation/metrics.ts'
import { softmax } from '../experts/probabilities.ts'
import { expertsOf, type Weights } from './fusion-weights.ts'
import type { Judged } from './judged.ts'
import { minimise, type Point } from './minimise.ts'

/** Log-loss is flat where one weight is nearly 1: this much pulls u and log T to 0, so that they stay finite. */
const decay = 1e-4
const smallest = 1e-12

/** At least one row, all of one task and kind. To four digits. */
export function gradientWeights(rows: readonly Judged[]): Weights {
  const experts = expertsOf(rows)
  const found = minimise((at) => meanLoss(rows, experts, at), new Float64Array(experts.length + 1))
  const weights = softmax(found.subarray(0, experts.length))
  return Object.fromEntries(experts.map((expert, i) => [expert, rounded(weights[i] ?? 0)]))
}

/** `at`: u of each expert, then log T. */
function meanLoss(rows: readonly Judged[], experts: readonly string[], at: Float64Array): Point {
  const weights = softmax(at.subarray(0, experts.length))
  const temperature = Math.exp(at[experts.length] ?? 0)
  const byWeight = new Float64Array(experts.length)
  let [loss, byLogT] = [0, 0]
  for (const { opinions, label } of rows) {
    const spoken = experts.map((expert) => opinions[expert] ?? [])
    const mixed = (spoken[0] ?? []).map((_, k) =>
      Math.max(
        smallest,
        spoken.reduce((sum, opinion, i) => sum + (weights[i] ?? 0) * (opinion[k] ?? 0), 0),
      ),
    )
    const logs = mixed.map(Math.log)
    const fused = softmax(logs, temperature)
    loss -= Math.log(Math.max(fused[label] ?? 0, smallest))
    fused.forEach((p, k) => {
      const error = p - (k === label ? 1 : 0)
      byLogT -= (error * (logs[k] ?? 0)) / temperature
      spoken.forEach((opinion, i) => {
        const slope = (error * (opinion[k] ?? 0)) / (temperature * (mixed[k] ?? 1))
        byWeight[i] = (byWeight[i] ?? 0) + slope
      })
    })
  }
  const mean = weights.reduce((sum, weight, i) => sum + weight * (byWeight[i] ?? 0), 0)
  const slopes = weights.map((weight, i) => weight * ((byWeight[i] ?? 0) - mean))
  return {
    value: loss / rows.length + (decay * sumOfSquares(at)) / 2,
    gradient: at.map((value, i) => (slopes[i] ?? byLogT) / rows.length + decay * value),
  }
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value ** 2, 0)
}
