/** Who votes on live posts, who is listened to, and how that changes: the parts of this folder put together. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AppError } from '../../infra/errors.ts'
import type { Allocator } from '../allocator/allocator.ts'
import type { Analyst, AnalystDeps } from '../allocator/analyst.ts'
import type { Calibration } from '../allocator/calibration.ts'
import type { StaticWeights } from '../allocator/static.ts'
import type { ExpertSet } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import { expertRoutes } from '../routes/experts.ts'
import { Gate } from './gate.ts'
import { createLiveAnalyst } from './live-analyst.ts'
import { createPromotions, type PromotionsDeps } from './promotions.ts'
import { createServing } from './serving.ts'
import { withShadow } from './shadow.ts'
import { standIn, standInCalibration, standInWeights } from './stand-in.ts'

/** What differs from one set of experts to another. */
export type Judging = Pick<AnalystDeps, 'allocator' | 'calibration' | 'referenceWeights'>

export interface ExpertServingDeps
  extends Pick<
    PromotionsDeps,
    'log' | 'store' | 'logTopic' | 'clock' | 'logger' | 'withinMs' | 'isErased'
  > {
  readonly log: PromotionsDeps['log'] & Parameters<typeof createServing>[0]['log']
  /** Those of the config, who vote while nothing else is recorded. */
  readonly experts: readonly Expert[]
  readonly shadows: readonly Expert[]
  /** Of the posts on which shadows run. */
  readonly shadowShare: number
  /** Plans for the experts of the config. */
  readonly allocator: Allocator
  /** Of an expert that is promoted to vote beside the others. */
  readonly weights: StaticWeights
  readonly calibration: Calibration
  readonly referenceWeights: StaticWeights
  /** Live: of posts that arrive; else of the past. */
  analystOf(judging: Judging, isLive: boolean): Analyst
}

export interface ExpertServing {
  /** Of live posts. */
  readonly analyst: Analyst
  /** Every batch of live posts passes it. */
  readonly gate: Gate
  readonly plugin: FastifyPluginAsyncTypebox
  votes(expert: string): boolean
  /** Resolves when `control` is folded. Rejects with PROMOTION when an expert votes that is not loaded. */
  start(): Promise<void>
  /** Ends a change under way. Idempotent. */
  stop(): Promise<void>
}

export function createExpertServing(deps: ExpertServingDeps): ExpertServing {
  const { shadows, shadowShare, weights, calibration, referenceWeights } = deps
  const configured = deps.experts.map(({ name }) => name)
  const loaded = [...deps.experts, ...shadows]
  const serving = createServing({ ...deps, configured })
  const gate = new Gate()

  function judgingBy(set: ExpertSet): Judging {
    return {
      allocator: standIn(deps.allocator, set, { experts: configured, weights }),
      calibration: standInCalibration(calibration, set),
      referenceWeights: standInWeights(referenceWeights, set),
    }
  }

  function listening(allocator: Allocator): Allocator {
    return shadows.reduce(
      (heard, { name }) => withShadow(heard, { expert: name, share: shadowShare }),
      allocator,
    )
  }

  const promotions = createPromotions({
    ...deps,
    serving,
    gate,
    experts: loaded,
    hasWeight: (name) => weights.news[name] !== undefined || weights.comment[name] !== undefined,
    analystFor: (set) => deps.analystOf(judgingBy(set), false),
  })
  const [shadow] = shadows
  return {
    gate,
    analyst: createLiveAnalyst({
      serving,
      analystFor(set) {
        const judging = judgingBy(set)
        return deps.analystOf({ ...judging, allocator: listening(judging.allocator) }, true)
      },
    }),
    plugin: expertRoutes({
      ...deps,
      serving,
      promotions,
      shadow: shadow && { name: shadow.name, version: shadow.version, share: shadowShare },
    }),
    votes: (expert) => serving.set().experts.includes(expert),
    async start() {
      await serving.start()
      const missing = serving
        .set()
        .experts.find((expert) => !loaded.some(({ name }) => name === expert))
      if (missing !== undefined)
        throw new AppError(
          'PROMOTION',
          `${missing} votes since it was promoted, and is not loaded: keep it in pipeline.experts or pipeline.shadow until it is rolled back`,
        )
    },
    async stop() {
      await promotions.stop()
      await serving.stop()
    },
  }
}
