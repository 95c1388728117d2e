/**
 * The strategies of this process and who may be judged by which: the weights of `dynamic` follow the topic `feedback`, the streams follow `control`,
 * and what was judged pays the budget.
 */
import type { Clock } from '../../infra/clock.ts'
import type { Config } from '../../infra/config.ts'
import type { Log } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import type { FusionMethod, Strategy } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import type { Allocator } from './allocator.ts'
import { createBudget } from './budget.ts'
import { createDynamicAllocator } from './dynamic.ts'
import { createGains, readCascade } from './gain.ts'
import type { Judgement } from './judgement.ts'
import { createMultitaskAllocator } from './multitask.ts'
import type { Budget, Costs } from './price.ts'
import { createStaticAllocator, type StaticWeights } from './static.ts'
import { createStreamControl, type StreamControl } from './stream-control.ts'
import { createStreamAllocator, type StreamAllocator } from './streams.ts'
import { costMsOf } from './traffic.ts'
import { createWeightKeeper, type KeptDrift, type WeightKeeper } from './weights/keeper.ts'

export interface StrategiesDeps {
  readonly log: Log
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly config: Config['pipeline']['allocator']
  /** Those that vote. */
  readonly experts: readonly Expert[]
  /** Of static, of who stands in for the encoder of multitask, and of dynamic before any feedback. */
  readonly weights: StaticWeights
  /** Of the topics, for static. */
  readonly topicWeights: StaticWeights
  readonly costs: Costs
  onDrift?(drift: KeptDrift): void
}

export interface Strategies {
  readonly allocator: StreamAllocator
  readonly control: StreamControl
  readonly keeper: WeightKeeper
  readonly budget: Budget
  /** Resolves when `feedback` and `control` are folded as far as the log holds them. Rejects with FEEDBACK. */
  start(): Promise<void>
  judged(judgements: readonly Judgement[]): void
  /** Idempotent. */
  stop(): Promise<void>
}

/** Throws CONFIG for streams that are none, or that the experts do not allow, and MODEL. */
export function createStrategies(deps: StrategiesDeps): Strategies {
  const { config, experts, weights, topicWeights, costs, clock } = deps
  const keeper = createWeightKeeper({ ...deps, prior: weights, topicPrior: topicWeights })
  const budget = createBudget({ budgetMs: config.budgetMs, clock })
  const gains = createGains(readCascade())

  function allocatorOf(strategy: Strategy, fusion: FusionMethod): Allocator {
    switch (strategy) {
      case 'static':
        return createStaticAllocator({ experts, weights, topicWeights, fusion })
      case 'multitask':
        return createMultitaskAllocator({ experts, weights, fusion })
      case 'dynamic':
        return createDynamicAllocator({
          experts,
          book: () => keeper.book(),
          costs,
          budget,
          gains,
          exploreShare: config.exploreShare,
          fusion,
        })
    }
  }

  const allocator = createStreamAllocator({ settings: config, allocatorOf })
  const control = createStreamControl({ ...deps, allocator })
  return {
    allocator,
    control,
    keeper,
    budget,
    async start() {
      await keeper.start()
      await control.start()
    },
    judged(judgements) {
      const dynamic = judgements.filter(({ strategy }) => strategy === 'dynamic')
      if (dynamic.length === 0) return
      budget.spent(
        dynamic.length,
        dynamic.reduce((sum, judgement) => sum + costMsOf(judgement), 0),
      )
    },
    async stop() {
      await control.stop()
      await keeper.stop()
    },
  }
}
