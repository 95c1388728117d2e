/** What `tickertone fit --method` may be: how the weights are found, and what is judged by them. */
import type { FusionMethod } from '../contract.ts'
import type { Prediction } from '../evaluation/metrics.ts'
import { softmax } from '../experts/probabilities.ts'
import { crossFit } from './cross-fit.ts'
import { crossValidatedWeights } from './cross-validated-weights.ts'
import { heldOutLogits, penaltyOf, stackingOf } from './fit-stacking.ts'
import { fusedLogits, type Weights } from './fusion-weights.ts'
import { gradientWeights } from './gradient-weights.ts'
import type { Judged } from './judged.ts'
import { fitTemperature } from './temperature.ts'

export const fitMethods = ['cv', 'gradient', 'stacking'] as const
export type FitMethod = (typeof fitMethods)[number]

export interface Recipe {
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
export function heldOutPredictions(
  rows: readonly Judged[],
  { weights: fit, fusion }: Recipe,
): Prediction[] {
  return crossFit(rows, (others) => {
    const weights = fit(others)
    const penalty = penaltyOf(fusion, others, weights)
    const temperature = fitTemperature(heldOutLogits(fusion, others, weights, penalty))
    const stacking = fusion === 'stacking' ? stackingOf(others, weights, penalty) : undefined
    return (row: Judged): Prediction => {
      const { label, logits } = fusedLogits(row, weights, fusion, stacking)
      return { label, probabilities: softmax(logits, temperature) }
    }
  })
}
