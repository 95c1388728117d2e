/** The weights of the grid whose average is best on held-out rows, each candidate with the temperature that the other folds give it. */
import { crossFit } from './cross-fit.ts'
import {
  expertsOf,
  fusedLogits,
  type Weights,
  weightings,
  withTemperature,
} from './fusion-weights.ts'
import type { Judged } from './judged.ts'
import { LogitTable } from './logit-table.ts'

/** Cross-validating all 231 ways of three experts takes minutes; those behind the best in-sample ones by ten places are not the best elsewhere. */
const finalists = 10

/** At least one row, all of one task and kind. */
export function crossValidatedWeights(rows: readonly Judged[]): Weights {
  return weightings(expertsOf(rows))
    .map((weights) => withTemperature(rows, weights))
    .sort((a, b) => a.logLoss - b.logLoss)
    .slice(0, finalists)
    .map(({ weights }) => ({ weights, logLoss: heldOutLoss(rows, weights) }))
    .reduce((best, next) => (next.logLoss < best.logLoss ? next : best)).weights
}

/** In nats, summed over the rows. */
function heldOutLoss(rows: readonly Judged[], weights: Weights): number {
  const losses = crossFit(rows, (others) => {
    const { temperature } = withTemperature(others, weights)
    return (row: Judged) =>
      new LogitTable([fusedLogits(row, weights)]).loss({ temperature, biases: [] })
  })
  return losses.reduce((sum, loss) => sum + loss, 0)
}
