/** The fusion of each row by weights and a temperature that were fitted on the other folds. */
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import type { Prediction } from '../evaluation/metrics.ts'
import { mapLogits } from '../experts/logit-map.ts'
import { crossFit } from '../fitting/cross-fit.ts'
import { type FittedWeights, fusedLogits } from '../fitting/fusion-weights.ts'
import type { Judged } from '../fitting/judged.ts'

export interface HeldOutFusion {
  /** The plain average, in the order of the rows. */
  readonly average: readonly Prediction[]
  /** After the temperature. */
  readonly calibrated: readonly Prediction[]
}

/** Rows of one task and kind. */
export interface FusedContext extends HeldOutFusion {
  readonly task: Task
  readonly kind: Post['kind']
  readonly rows: readonly Judged[]
}

export function heldOutFusion(
  rows: readonly Judged[],
  fit: (rows: readonly Judged[]) => FittedWeights,
): HeldOutFusion {
  const found = crossFit(rows, (others) => {
    const { weights, temperature } = fit(others)
    return (row: Judged) => {
      const { label, logits } = fusedLogits(row, weights)
      const at = (temperature: number): Prediction => ({
        label,
        probabilities: mapLogits(logits, { temperature, biases: [] }),
      })
      return { average: at(1), calibrated: at(temperature) }
    }
  })
  return {
    average: found.map(({ average }) => average),
    calibrated: found.map(({ calibrated }) => calibrated),
  }
}
