/**
 * Static weights of the experts: those of the least log-loss of p = sum of a_i p_i, after a temperature of its own, among all that sum to 1
 * in steps of 0.05. Finer steps tell nothing: on some hundred rows neighbours differ by less than their noise.
 */
import { fuse } from '../allocator/fusion.ts'
import type { Stacking } from '../allocator/stacking.ts'
import type { FusionMethod } from '../contract.ts'
import { logarithms } from '../experts/probabilities.ts'
import type { Judged } from './judged.ts'
import { LogitTable, type Scored } from './logit-table.ts'
import { fitTemperature } from './temperature.ts'

export type Weights = Readonly<Record<string, number>>

const steps = 20

export interface FittedWeights {
  readonly weights: Weights
  /** After the average with these weights. */
  readonly temperature: number
  /** Mean on the rows they were fitted on, in nats. */
  readonly logLoss: number
}

/** Of equals the one with more weight on the experts named first. */
export function fitWeights(
  judged: readonly Judged[],
  experts: readonly string[] = expertsOf(judged),
): FittedWeights {
  return weightings(experts)
    .map((weights) => withTemperature(judged, weights))
    .reduce((best, next) => (next.logLoss < best.logLoss ? next : best))
}

/** What fixed weights come to with the best temperature. */
export function withTemperature(judged: readonly Judged[], weights: Weights): FittedWeights {
  const table = new LogitTable(judged.map((row) => fusedLogits(row, weights)))
  const temperature = fitTemperature(table)
  const logLoss = table.loss({ temperature, biases: [] }) / judged.length
  return { weights, temperature, logLoss }
}

/** Every way to give shares in steps of 0.05 that sum to 1. */
export function weightings(experts: readonly string[]): Weights[] {
  return compositions(steps, experts.length).map((parts) =>
    Object.fromEntries(experts.map((expert, i) => [expert, (parts[i] ?? 0) / steps])),
  )
}

/** Every way to write `total` as a sum of so many whole numbers, the largest of the first ones first. */
function compositions(total: number, parts: number): number[][] {
  if (parts <= 1) return [[total]]
  return Array.from({ length: total + 1 }, (_, i) => total - i).flatMap((first) =>
    compositions(total - first, parts - 1).map((rest) => [first, ...rest]),
  )
}

/** Logarithms of what the experts that have both a weight and an opinion come to, as they are fused when they serve. */
export function fusedLogits(
  { opinions, label, task, kind }: Judged,
  weights: Weights,
  method: FusionMethod = 'average',
  stacking?: Stacking,
): Scored {
  const named = Object.entries(weights).flatMap(([expert, weight]) => {
    const probabilities = opinions[expert]
    return probabilities === undefined ? [] : [{ expert, weight, probabilities }]
  })
  const { probabilities } = fuse(method, named, { task, kind, stacking })
  return { label, logits: logarithms(probabilities) }
}

/** All experts that judge these rows. */
export function expertsOf(judged: readonly Judged[]): string[] {
  return Object.keys(judged[0]?.opinions ?? {})
}
