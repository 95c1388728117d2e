/** What the fusion of one task and kind is worth, and what each expert in it is, on held-out rows. */
import type { FusionManifest } from '../allocator/calibration.ts'
import { expertsOf, fitWeights } from '../fitting/fusion-weights.ts'
import { calibrationFigures, type LossDifference, lossDifference } from './evidence.ts'
import { type FusedContext, heldOutFusion } from './held-out-fusion.ts'

export function fusionFigures(contexts: readonly FusedContext[]): FusionManifest['metrics'] {
  const sharing = contexts.find(({ task }) => task === 'topic')
  return {
    heldOut: Object.fromEntries(contexts.map((context) => [nameOf(context), figuresOf(context)])),
    /** Below 0 where the expert helps the others. */
    logLossWithLessWithout: Object.fromEntries(
      contexts.map((context) => [nameOf(context), worthOfExperts(context)]),
    ),
    /** Above 0 where topics would do better with weights of their own. */
    topicLogLossBySharedLessOwnWeights: sharing && lossLessThatOfOwnWeights(sharing),
  }
}

function nameOf({ task, kind }: FusedContext): string {
  return `${task} ${kind}`
}

function figuresOf({ rows, average, calibrated }: FusedContext) {
  const clusters = rows.map(({ cluster }) => cluster)
  return {
    average: calibrationFigures(average, clusters),
    calibrated: calibrationFigures(calibrated, clusters),
  }
}

/** Each against a fusion of the others, whose weights are fitted without it. */
function worthOfExperts({ rows, calibrated }: FusedContext): Record<string, LossDifference> {
  const clusters = rows.map(({ cluster }) => cluster)
  const experts = expertsOf(rows)
  return Object.fromEntries(
    experts.map((expert) => {
      const others = experts.filter((other) => other !== expert)
      const without = heldOutFusion(rows, (fitted) => fitWeights(fitted, others))
      return [expert, lossDifference(calibrated, without.calibrated, clusters)]
    }),
  )
}

function lossLessThatOfOwnWeights({ rows, calibrated }: FusedContext): LossDifference {
  const own = heldOutFusion(rows, (fitted) => fitWeights(fitted))
  return lossDifference(
    calibrated,
    own.calibrated,
    rows.map(({ cluster }) => cluster),
  )
}
