/** Temperatures after fusion, by method: from the task to its kinds to the sets of experts that ran, each shrunk to its parent. */
import { kinds, type Post } from '../../ingest/contract.ts'
import type { FusionTemperature } from '../allocator/calibration.ts'
import { expertSet } from '../allocator/expert-set.ts'
import type { StackingModel } from '../allocator/stacking.ts'
import { type FusionMethod, fusionMethods, type Task, tasks } from '../contract.ts'
import { rounded } from '../evaluation/metrics.ts'
import { choosePenalty, fitStacking, heldOutLogits } from './fit-stacking.ts'
import { expertsOf, type Weights } from './fusion-weights.ts'
import type { Judged } from './judged.ts'
import type { Scored } from './logit-table.ts'
import { fitTemperature } from './temperature.ts'

/** Of the sentiment and of the topics, which need not have the same. */
export type FusionWeights = Readonly<Record<Task, Readonly<Record<Post['kind'], Weights>>>>

/** Rows of one task and kind, with what is fixed before any set of experts is looked at. */
interface Context {
  readonly task: Task
  readonly kind: Post['kind']
  readonly rows: readonly Judged[]
  readonly weights: Weights
  readonly penalty: number
}

export interface FittedParameters {
  readonly temperatures: FusionTemperature[]
  readonly stacking: StackingModel[]
}

/** For every task and kind with rows, and every set of experts that may run on it. */
export function fitParameters(judged: readonly Judged[], weights: FusionWeights): FittedParameters {
  const contexts = contextsOf(judged, weights)
  return {
    temperatures: fusionMethods.flatMap((method) => temperaturesOf(method, contexts)),
    stacking: contexts.flatMap(({ rows, weights, penalty }) =>
      expertSets(expertsOf(rows)).map((set) => fitStacking(rows, only(set, weights), penalty)),
    ),
  }
}

function contextsOf(judged: readonly Judged[], weights: FusionWeights): Context[] {
  return tasks.flatMap((task) =>
    kinds.flatMap((kind) => {
      const rows = judged.filter((row) => row.task === task && row.kind === kind)
      if (rows.length === 0) return []
      const ofKind = weights[task][kind]
      return [{ task, kind, rows, weights: ofKind, penalty: choosePenalty(rows, ofKind) }]
    }),
  )
}

function temperaturesOf(method: FusionMethod, contexts: readonly Context[]): FusionTemperature[] {
  const nodes: FusionTemperature[] = []
  const add = (
    logits: readonly Scored[],
    at: Pick<FusionTemperature, 'task' | 'kind' | 'experts'>,
    parent?: number,
  ) => {
    const temperature = rounded(fitTemperature(logits, parent))
    nodes.push({ ...at, method, temperature, rows: logits.length })
    return temperature
  }
  const logitsOf = ({ rows, penalty }: Context, weights: Weights) =>
    heldOutLogits(method, rows, weights, penalty)
  for (const task of tasks) {
    const ofTask = contexts.filter((context) => context.task === task)
    if (ofTask.length === 0) continue
    const whole = ofTask.map((context) => logitsOf(context, context.weights))
    const root = add(whole.flat(), { task, kind: '', experts: '' })
    ofTask.forEach((context, i) => {
      const { kind, weights, rows } = context
      const parent = add(whole[i] ?? [], { task, kind, experts: '' }, root)
      for (const set of expertSets(expertsOf(rows))) {
        const logits = logitsOf(context, only(set, weights))
        add(logits, { task, kind, experts: expertSet(set) }, parent)
      }
    })
  }
  return nodes
}

function only(experts: readonly string[], weights: Weights): Weights {
  return Object.fromEntries(experts.map((expert) => [expert, weights[expert] ?? 0]))
}

/** Every set of experts that may have run: all but the empty one. */
export function expertSets(experts: readonly string[]): string[][] {
  const sorted = [...experts].sort()
  return Array.from({ length: 2 ** sorted.length - 1 }, (_, i) =>
    sorted.filter((_expert, bit) => ((i + 1) >> bit) & 1),
  )
}
