/**
 * Strategy `multitask`: one encoder gives the heads of every task in one run. The other experts are asked only about posts that it did not answer,
 * whose rows are then `degraded`.
 */
import { AppError } from '../../infra/errors.ts'
import type { Post } from '../../ingest/contract.ts'
import { type FusionMethod, tasks } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import type { Allocator, Plan } from './allocator.ts'
import type { StaticWeights } from './static.ts'

/** Throws CONFIG without an encoder that judges every task. Of several the one with the larger weight for the kind is asked. */
export function createMultitaskAllocator({
  experts,
  weights,
  fusion,
}: {
  readonly experts: readonly Pick<Expert, 'name' | 'tasks' | 'isEncoder'>[]
  /** Of those that stand in for the encoder, too. */
  readonly weights: StaticWeights
  readonly fusion: FusionMethod
}): Allocator {
  const shared = experts.filter(
    (expert) => expert.isEncoder && tasks.every((task) => expert.tasks.includes(task)),
  )
  const planOf = (kind: Post['kind']): Plan => {
    const weightOf = (expert: string) => weights[kind][expert] ?? 0
    const [encoder] = [...shared].sort((a, b) => weightOf(b.name) - weightOf(a.name))
    if (encoder === undefined)
      throw new AppError(
        'CONFIG',
        'The strategy multitask needs an encoder that judges every task among the experts (pipeline.experts)',
      )
    const others = experts.flatMap(({ name }) =>
      name === encoder.name || weights[kind][name] === undefined ? [] : [name],
    )
    return multitaskPlan(encoder.name, others, weightOf, fusion)
  }
  const plans = { news: planOf('news'), comment: planOf('comment') }
  return { plan: ({ kind }) => plans[kind] }
}

function multitaskPlan(
  encoder: string,
  others: readonly string[],
  weight: (expert: string) => number,
  fusion: FusionMethod,
): Plan {
  return {
    strategy: 'multitask',
    fusion,
    weightsVersion: -1,
    experts: [encoder, ...others],
    shadows: [],
    next(heard) {
      if (!heard.has(encoder)) return [encoder]
      if (heard.get(encoder) !== undefined) return []
      return others.filter((expert) => !heard.has(expert))
    },
    weight,
    runProbability: (expert, heard) => (heard.has(expert) ? 1 : 0),
    isDegraded: (heard) => heard.has(encoder) && heard.get(encoder) === undefined,
  }
}
