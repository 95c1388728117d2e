/** Strategy `static`: every expert runs on every post, with fixed weights by kind. */
import type { Post } from '../../ingest/contract.ts'
import type { Expert } from '../experts/expert.ts'
import type { Allocation, Allocator } from './allocator.ts'

/** By kind and expert name; an expert without a weight does not run on that kind. Weights count within a task only. */
export type StaticWeights = Readonly<Record<Post['kind'], Readonly<Record<string, number>>>>

export function createStaticAllocator(deps: {
  readonly weights: StaticWeights
  readonly experts: readonly Pick<Expert, 'name' | 'tasks'>[]
}): Allocator {
  const allocations = {
    news: staticAllocation(deps.experts, deps.weights.news),
    comment: staticAllocation(deps.experts, deps.weights.comment),
  }
  return { allocate: ({ kind }) => allocations[kind] }
}

function staticAllocation(
  experts: readonly Pick<Expert, 'name' | 'tasks'>[],
  weights: Readonly<Record<string, number>>,
): Allocation {
  const assignments = experts.flatMap(({ name, tasks }) => {
    const weight = weights[name]
    return weight === undefined
      ? []
      : tasks.map((task) => ({ expert: name, task, weight, runProbability: 1 }))
  })
  return { strategy: 'static', assignments, degraded: false, weightsVersion: -1 }
}
