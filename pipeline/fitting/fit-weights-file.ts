/** From judged rows to what a weights file says: weights, stacking and temperatures of each task and kind with enough rows, and their validation. */
import { kinds, type Post } from '../../ingest/contract.ts'
import { tempered } from '../allocator/calibration.ts'
import { fuse } from '../allocator/fusion.ts'
import type { ServedFusion } from '../allocator/served-fusion.ts'
import type { StaticWeights } from '../allocator/static.ts'
import type { WeightsFile } from '../allocator/weights-file.ts'
import { type Task, tasks } from '../contract.ts'
import { logLoss, type Prediction } from '../evaluation/metrics.ts'
import { type FitMethod, heldOutPredictions, recipes } from './fit-methods.ts'
import { fitParameters } from './fusion-parameters.ts'
import { expertsOf, type Weights } from './fusion-weights.ts'
import type { Judged } from './judged.ts'
import { type Validation, validationOf } from './validation.ts'

/** Fewer clusters of near-duplicates say nothing: the accuracy alone is off by 7 points as often as not less. */
export const fewestClusters = 50

export interface FittedContext {
  readonly task: Task
  readonly kind: Post['kind']
  readonly rows: readonly Judged[]
  readonly clusters: number
}

export interface Contexts {
  readonly enough: readonly FittedContext[]
  /** Left as they are configured. */
  readonly tooFew: readonly FittedContext[]
}

/** By task and kind, where there are rows. */
export function contextsOf(judged: readonly Judged[]): Contexts {
  const contexts = tasks.flatMap((task) =>
    kinds.flatMap((kind): FittedContext[] => {
      const rows = judged.filter((row) => row.task === task && row.kind === kind)
      const clusters = new Set(rows.map(({ cluster }) => cluster)).size
      return rows.length === 0 ? [] : [{ task, kind, rows, clusters }]
    }),
  )
  return {
    enough: contexts.filter(({ clusters }) => clusters >= fewestClusters),
    tooFew: contexts.filter(({ clusters }) => clusters < fewestClusters),
  }
}

export interface FittedFile extends Pick<WeightsFile, 'weights' | 'temperatures' | 'stacking'> {
  readonly figures: Validation[]
}

/**
 * @param experts names of the model set: weights of others are left out
 * @param served what was in force before: the weights of the tasks and kinds without enough rows, and a judge of the validation
 */
export function fitWeightsFile(
  contexts: readonly FittedContext[],
  method: FitMethod,
  experts: readonly string[],
  served: ServedFusion,
): FittedFile {
  const found = contexts.map(({ task, kind, rows }) => ({
    task,
    kind,
    weights: recipes[method].weights(rows),
  }))
  const weightsOf = (task: Task, before: StaticWeights) => {
    const of = (kind: Post['kind']): Weights =>
      found.find((one) => one.task === task && one.kind === kind)?.weights ??
      Object.fromEntries(Object.entries(before[kind]).filter(([name]) => experts.includes(name)))
    return { news: of('news'), comment: of('comment') }
  }
  const weights = {
    sentiment: weightsOf('sentiment', served.weights),
    topic: weightsOf('topic', served.topicWeights),
  }
  return {
    weights,
    ...fitParameters(
      contexts.flatMap(({ rows }) => rows),
      weights,
    ),
    figures: contexts.map((context) => validated(context, method, served)),
  }
}

function validated(
  { task, kind, rows }: FittedContext,
  method: FitMethod,
  served: ServedFusion,
): Validation {
  const best = bestExpert(rows)
  return validationOf(
    { task, kind },
    rows.map(({ cluster }) => cluster),
    {
      [`fitted (${method})`]: heldOutPredictions(rows, recipes[method]),
      'average as configured': rows.map((row) => servedPrediction(row, served)),
      [`best expert (${best})`]: predictionsOf(rows, best),
    },
  )
}

/** By log-loss on these very rows, which flatters it. */
function bestExpert(rows: readonly Judged[]): string {
  const losses = expertsOf(rows).map((expert) => ({
    expert,
    loss: logLoss(predictionsOf(rows, expert)),
  }))
  return losses.reduce((best, next) => (next.loss < best.loss ? next : best)).expert
}

function predictionsOf(rows: readonly Judged[], expert: string): Prediction[] {
  return rows.map(({ label, opinions }) => ({ label, probabilities: opinions[expert] ?? [] }))
}

function servedPrediction(row: Judged, served: ServedFusion): Prediction {
  const { task, kind, label, opinions } = row
  const weights = (task === 'topic' ? served.topicWeights : served.weights)[kind]
  const { method, probabilities } = fuse(
    'average',
    Object.entries(opinions).map(([expert, probabilities]) => ({
      expert,
      weight: weights[expert] ?? 0,
      probabilities,
    })),
    { task, kind },
  )
  const experts = Object.keys(opinions)
  const temperature = served.calibration.temperature({ task, kind, experts, method })
  return { label, probabilities: tempered(probabilities, temperature) }
}
