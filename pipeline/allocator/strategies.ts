/** The allocator of a strategy, from what this process has. */
import { AppError } from '../../infra/errors.ts'
import type { FusionMethod, Strategy } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import type { Allocator } from './allocator.ts'
import { createMultitaskAllocator } from './multitask.ts'
import { createStaticAllocator, type StaticWeights } from './static.ts'

export interface StrategyDeps {
  readonly experts: readonly Expert[]
  /** Of static, and of those that stand in for the encoder of multitask. */
  readonly weights: StaticWeights
}

/** Throws CONFIG where the experts do not allow it. */
export function allocatorOf(
  { experts, weights }: StrategyDeps,
  strategy: Strategy,
  fusion: FusionMethod,
): Allocator {
  switch (strategy) {
    case 'static':
      return createStaticAllocator({ experts, weights, fusion })
    case 'multitask':
      return createMultitaskAllocator({ experts, weights, fusion })
    case 'dynamic':
      throw new AppError('UNSUPPORTED', 'This version does not have the strategy dynamic')
  }
}
