/** Strategy `static`: every expert runs on every post, with fixed weights by kind. */
import type { Post } from '../../ingest/contract.ts'
import type { FusionMethod, Task } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import type { Allocator, Plan } from './allocator.ts'

/** By kind and expert name; an expert without a weight does not run on that kind. */
export type StaticWeights = Readonly<Record<Post['kind'], Readonly<Record<string, number>>>>

export function createStaticAllocator(deps: {
  readonly weights: StaticWeights
  /** Of the topics, where they have weights of their own. Who runs is decided by `weights`. */
  readonly topicWeights?: StaticWeights
  readonly experts: readonly Pick<Expert, 'name'>[]
  readonly fusion?: FusionMethod
}): Allocator {
  const { fusion = 'average', weights, topicWeights = weights } = deps
  const planOf = (kind: Post['kind']) =>
    staticPlan(deps.experts, { sentiment: weights[kind], topic: topicWeights[kind] }, fusion)
  const plans = { news: planOf('news'), comment: planOf('comment') }
  return { plan: ({ kind }) => plans[kind] }
}

function staticPlan(
  loaded: readonly Pick<Expert, 'name'>[],
  weights: Readonly<Record<Task, Readonly<Record<string, number>>>>,
  fusion: FusionMethod,
): Plan {
  const experts = loaded.flatMap(({ name }) =>
    weights.sentiment[name] === undefined ? [] : [name],
  )
  return {
    strategy: 'static',
    fusion,
    weightsVersion: -1,
    experts,
    shadows: [],
    next: (heard) => experts.filter((expert) => !heard.has(expert)),
    weight: (expert, task) => weights[task][expert] ?? 0,
    runProbability: () => 1,
    isDegraded: () => false,
  }
}
