/** The analyst that a monitor would have, but for one thing: an expert that fails ends the evaluation, as figures without it would be another's. */
import { createAnalyst } from '../allocator/analyst.ts'
import type { ServedFusion } from '../allocator/served-fusion.ts'
import { createStaticAllocator } from '../allocator/static.ts'
import type { FusionMethod } from '../contract.ts'
import type { AnalystOf } from './panel.ts'

export function servedAnalyst(served: ServedFusion, fusion: FusionMethod): AnalystOf {
  const { weights, topicWeights, calibration, stacking, referenceWeights } = served
  return (experts) =>
    createAnalyst({
      experts,
      allocator: createStaticAllocator({ experts, weights, topicWeights, fusion }),
      calibration,
      stacking,
      referenceWeights,
      onExpertFailure(_, error) {
        throw error
      },
    })
}
