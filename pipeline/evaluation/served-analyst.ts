/** The analyst that a monitor would have, but for one thing: an expert that fails ends the evaluation, as figures without it would be another's. */
import { createAnalyst } from '../allocator/analyst.ts'
import { createCalibration, type FusionManifest, readFusion } from '../allocator/calibration.ts'
import { createStaticAllocator, type StaticWeights } from '../allocator/static.ts'
import type { AnalystOf } from './panel.ts'

/** Throws `MODEL` when the fusion's artifact is missing or damaged. */
export function servedAnalyst(
  weights: StaticWeights,
  temperatures: FusionManifest['temperatures'] = readFusion().temperatures,
): AnalystOf {
  const calibration = createCalibration(temperatures)
  return (experts) =>
    createAnalyst({
      experts,
      allocator: createStaticAllocator({ experts, weights }),
      calibration,
      referenceWeights: weights,
      onExpertFailure(_, error) {
        throw error
      },
    })
}
