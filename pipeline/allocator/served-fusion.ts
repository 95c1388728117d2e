/** How the experts' distributions are fused where they serve: by what ships, by the options, or by a file that `tickertone fit` wrote. */
import type { Config } from '../../infra/config.ts'
import type { Expert } from '../experts/expert.ts'
import { type Calibration, createCalibration, readFusion } from './calibration.ts'
import { createStacking, type Stacking } from './stacking.ts'
import type { StaticWeights } from './static.ts'
import { parseWeightsFile, readWeightsFile, type WeightsFile } from './weights-file.ts'

export interface ServedFusion {
  readonly weights: StaticWeights
  readonly topicWeights: StaticWeights
  readonly calibration: Calibration
  readonly stacking: Stacking
  /** Of `reference_score`: what ships, whatever the weights are. */
  readonly referenceWeights: StaticWeights
}

/**
 * For exactly these experts. Where the file says nothing (a task or kind without labels) what ships stays in force.
 * Throws `MODEL` when what ships is damaged, `WEIGHTS` when the file is of no use for these experts.
 */
export function loadFusion(
  { weights, allocator }: Pick<Config['pipeline'], 'weights' | 'allocator'>,
  experts: readonly Pick<Expert, 'name' | 'version'>[],
): ServedFusion {
  const shipped = readFusion()
  const file =
    allocator.weightsFile === '' ? undefined : readWeightsFile(allocator.weightsFile, experts)
  return {
    weights: file?.weights.sentiment ?? weights,
    topicWeights: file?.weights.topic ?? weights,
    calibration: createCalibration([...shipped.temperatures, ...(file?.temperatures ?? [])]),
    stacking: stackingOf(shipped, file),
    referenceWeights: shipped.reference_weights,
  }
}

/** Where no expert is loaded, to repeat what a row says. Throws as `loadFusion`, but for experts that do not match the file. */
export function servedStacking({
  weightsFile,
}: Pick<Config['pipeline']['allocator'], 'weightsFile'>): Stacking {
  return stackingOf(readFusion(), weightsFile === '' ? undefined : parseWeightsFile(weightsFile))
}

function stackingOf(
  shipped: Pick<WeightsFile, 'stacking'>,
  file: Pick<WeightsFile, 'stacking'> | undefined,
): Stacking {
  return createStacking([...shipped.stacking, ...(file?.stacking ?? [])])
}
