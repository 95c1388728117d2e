/** What the weights are learned for, and how fast. Another model is another fold: its state starts from the first record of `feedback`. */
import { createHash } from 'node:crypto'
import type { Post } from '../../../ingest/contract.ts'
import { type Task, tasks } from '../../contract.ts'
import type { Expert } from '../../experts/expert.ts'
import { renormalised } from '../average.ts'
import type { StaticWeights } from '../static.ts'
import type { DriftRates } from './drift.ts'
import type { Weights } from './hedge.ts'

export type WeighedExpert = Pick<Expert, 'name' | 'version' | 'tasks'>

export interface WeightModel {
  /** A record's expert of another version is another expert: ours sleeps on it. */
  readonly experts: readonly WeighedExpert[]
  /** Weights without any feedback. */
  readonly prior: StaticWeights
}

/** Chosen on the split `fit` (docs/decisions/0063). */
export const learning = {
  eta: 1.5,
  share: 0.001,
  /** Share while a drift is fresh, and for how many labels of its task and kind it is. */
  raisedShare: 0.005,
  raisedLabels: 300,
  /** Labels at which a context trusts itself as much as the one around it. */
  kappa: 50,
} as const

/** Of the fused result: few false alarms, as soon as can be (docs/decisions/0064). */
export const fusedDrift: DriftRates = { drop: 0.1, threshold: 5.5, warmUp: 200, caution: 1 }

/** Of single experts: only what is plain, so that all of them together raise few false alarms. */
export const expertDrift: DriftRates = { drop: 0.2, threshold: 12, warmUp: 200, caution: 1 }

export function judgesOf({ experts }: WeightModel, task: Task): readonly WeighedExpert[] {
  return experts.filter((expert) => expert.tasks.includes(task))
}

/** In the order of `judgesOf`; equal where the experts of a task have none. */
export function priorOf(model: WeightModel, task: Task, kind: Post['kind']): Weights {
  return renormalised(judgesOf(model, task).map(({ name }) => model.prior[kind][name] ?? 0))
}

const digestLength = 12

/** Names everything that the state of the fold depends on beside the records. */
export function modelSet(model: WeightModel): string {
  const experts = model.experts.map(({ name, version }) => `${name}@${version}`).join(' ')
  const rest = JSON.stringify([
    model.experts.map((expert) => tasks.filter((task) => expert.tasks.includes(task))),
    tasks.map((task) => [priorOf(model, task, 'news'), priorOf(model, task, 'comment')]),
    learning,
    fusedDrift,
    expertDrift,
  ])
  const digest = createHash('sha256').update(rest).digest('hex').slice(0, digestLength)
  return `${experts} ${digest}`
}
