/** What `tickertone fit --method` may be: how the weights are found, and what is judged by them. */
import type { FusionMethod } from '../contract.ts'
import type { Prediction } from '../evaluation/metrics.ts'
import { softmax } from '../experts/probabilities.ts'
import { crossFit } from './cross-fit.ts'
import { crossValidatedWeights } from './cross-validated-weights.ts'
import { choosePenalty, heldOutStacking, stackingOf } from './fit-stacking.ts'
import { fusedLogits, type Weights, withTemperature } from './fusion-weights.ts'
import { gradientWeights } from './gradient-weights.ts'
import type { Judged } from './judged.ts'
import type { Scored } from './logit-table.ts'
import { fitTemperature } from './temperature.ts'

export const fitMethods = ['cv', 'gradient', 'stacking'] as const
export type FitMethod = (typeof fitMethods)[number]

interface Recipe {
  /** Of rows of one task and kind; at least one. */
  weights(rows: readonly Judged[]): Weights
  readonly fusion: FusionMethod
}

export const recipes: Readonly<Record<FitMethod, Recipe>> = {
  cv: { weights: crossValidatedWeights, fusion: 'average' },
  gradient: { weights: gradientWeights, fusion: 'average' },
  stacking: { weights: crossValidatedWeights, fusion: 'stacking' },
}

/** Each row as the recipe has it when everything in it was fitted on the other folds. Rows of one task and kind. */
export function heldOutPredictions(rows: readonly Judged[], method: FitMethod): Prediction[] {
  const { weights: fit, fusion } = recipes[method]
  return crossFit(rows, (others) => {
    const weights = fit(others)
    return fusion === 'stacking' ? stackingJudge(others, weights) : averageJudge(others, weights)
  })
}

type Judge = (row: Judged) => Prediction

function averageJudge(rows: readonly Judged[], weights: Weights): Judge {
  const { temperature } = withTemperature(rows, weights)
  return (row) => calibrated(fusedLogits(row, weights), temperature)
}

function stackingJudge(rows: readonly Judged[], weights: Weights): Judge {
  const penalty = choosePenalty(rows, weights)
  const temperature = fitTemperature(heldOutStacking(rows, weights, penalty))
  const stacking = stackingOf(rows, weights, penalty)
  return (row) => calibrated(fusedLogits(row, weights, 'stacking', stacking), temperature)
}

function calibrated({ logits, label }: Scored, temperature: number): Prediction {
  return { label, probabilities: softmax(logits, temperature) }
}
