/** The role pipeline: experts, allocator, calibration and linker around the consumer of `posts`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Registry } from 'prom-client'
import type { Clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { AppError } from '../infra/errors.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Store } from '../infra/store/store.ts'
import { type Analyst, createAnalyst } from './allocator/analyst.ts'
import { createCosts } from './allocator/costs.ts'
import { loadFusion } from './allocator/served-fusion.ts'
import { createStrategies } from './allocator/strategies.ts'
import { createTraffic } from './allocator/traffic.ts'
import type { WeightKeeper } from './allocator/weights/keeper.ts'
import { createLinker } from './entities/link.ts'
import type { Instrument } from './entities/mention.ts'
import { createExpertWatch } from './expert-watch.ts'
import type { GuardedExpert } from './experts/breaker.ts'
import type { Call, Expert } from './experts/expert.ts'
import { type ExpertsDeps, loadExperts, loadShadow } from './experts/registry.ts'
import { createLabelling } from './feedback/labelling.ts'
import { createPoolMetrics } from './metrics.ts'
import type { ContextStatus } from './monitor/context.ts'
import { openStreamMonitor } from './monitor/open.ts'
import { createPipeline } from './pipeline.ts'
import { allocationRoutes } from './routes/allocation.ts'
import { explainRoutes } from './routes/explain.ts'
import { Turns } from './turns.ts'
import { judgedAtOnce } from './verdicts.ts'

export interface PipelineRole {
  /** The routes of the role. */
  readonly plugin: FastifyPluginAsyncTypebox
  /** Ends after the blocks in hand are stored; what is being judged is left to the next start. Idempotent. */
  stop(): Promise<void>
  instrument(id: string): Instrument | undefined
  /** Why experts cannot answer now, by name: the others judge without them. And why `weights` learn no more. */
  failures(): Readonly<Record<string, AppError>>
  /** What the label-free monitor knows of the stream since the start. */
  streamStatus(): ContextStatus[]
  /** Of the experts, by name. */
  readonly versions: Readonly<Record<string, string>>
}

export interface PipelineRoleDeps {
  readonly log: Log
  readonly store: Store
  readonly logTopic: string
  readonly config: Config['pipeline']
  readonly clock: Clock
  readonly logger: Logger
  readonly registry?: Registry
  onFatal(error: unknown): void
  /** What keeps a partition from its work; undefined when it works again. */
  onHealth?(partition: number, error: unknown): void
}

/**
 * Loads gazetteers and models, folds `feedback` and `control`, then consumes. Rejects with CONFIG, MODEL, WEIGHTS, PROVIDER, WORKER, FEEDBACK, or LOG_REPLACED
 * (before anything is appended to a log that is not the one the store was filled from), and leaves nothing running then.
 */
export async function startPipelineRole(deps: PipelineRoleDeps): Promise<PipelineRole> {
  const { config } = deps
  const linker = createLinker(
    config.overridesFile === '' ? {} : { overridesFile: config.overridesFile },
  )
  const monitor = openStreamMonitor(deps)
  const costs = createCosts()
  const traffic = createTraffic(deps.registry)
  const panel = await loadPanel(config, {
    ...deps,
    costs,
    ...(deps.registry && { pools: createPoolMetrics(deps.registry) }),
    onCircuit: traffic.circuit,
  })
  const stops: (() => Promise<unknown>)[] = [
    () => Promise.all([...panel.experts, ...panel.shadows].map((expert) => expert.close())),
  ]
  const stop = async () => {
    for (const each of stops.toReversed()) await each()
  }
  try {
    const { calibration, stacking, referenceWeights, ...weights } = loadFusion(
      config,
      panel.experts,
    )
    const strategies = createStrategies({
      ...deps,
      ...weights,
      config: config.allocator,
      experts: panel.experts,
      costs,
    })
    stops.push(() => strategies.stop())
    await strategies.start()
    const watch = createExpertWatch(deps)
    const analyst = createAnalyst({
      experts: [...panel.experts, ...panel.shadows],
      allocator: strategies.allocator,
      costs,
      calibration,
      stacking,
      referenceWeights,
      shadowWaitMs: (posts) => shadowWaitMs(posts, config),
      onExpertFailure: watch.failed,
      onExpertAnswer: watch.answered,
      onJudged(judgements) {
        traffic.judged(judgements)
        strategies.judged(judgements)
      },
    })
    stops.push(() => analyst.close())
    const labelling = createLabelling({
      ...deps,
      experts: [...panel.experts, ...panel.shadows],
      isShadow: (name) => panel.shadows.some((shadow) => shadow.name === name),
    })
    stops.push(() => labelling.stop())
    const pipeline = createPipeline({
      ...deps,
      analyst: inTurns(analyst, config),
      linker,
      labelRates: {
        share: config.allocator.labelShare,
        uniformShare: config.allocator.labelUniformShare,
      },
      withinMs: withinMsOf(panel.experts, config),
      flushMs: config.flushMs,
      onBacklog: ({ posts, oldestMs }) => strategies.budget.waiting(posts, oldestMs),
      onStored: monitor.observe,
    })
    stops.push(() => pipeline.stop())
    await pipeline.start()
    await labelling.start()
    const allocation = allocationRoutes({
      ...panel,
      ...strategies,
      budgetMs: config.allocator.budgetMs,
      costs,
      traffic,
    })
    return {
      plugin: async (app) => {
        await app.register(allocation)
        await app.register(explainRoutes({ store: deps.store, stacking }))
        await app.register(labelling.plugin)
      },
      stop,
      instrument: (id) => linker.instrument(id),
      streamStatus: monitor.status,
      failures: () => failuresOf(panel.experts, strategies.keeper),
      versions: Object.fromEntries(panel.experts.map(({ name, version }) => [name, version])),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface Panel {
  readonly experts: readonly GuardedExpert[]
  readonly shadows: readonly GuardedExpert[]
}

async function loadPanel(config: Config['pipeline'], deps: ExpertsDeps): Promise<Panel> {
  const experts = await loadExperts(config, deps)
  try {
    const shadow = await loadShadow(config, deps)
    return { experts, shadows: shadow === undefined ? [] : [shadow] }
  } catch (error) {
    await Promise.all(experts.map((expert) => expert.close()))
    throw error
  }
}

/** A turn that is not full is followed by a rest of the partition, in which shadows may still answer; behind a full one others wait. */
function shadowWaitMs(posts: number, { flushMs }: Config['pipeline']): number {
  return posts < judgedAtOnce.posts ? flushMs : 0
}

/** History has no reader who waits for it: it gives up only on an expert that does not come back. */
const historyPatience = 20

export function withinMsOf(
  experts: readonly Pick<Expert, 'tasks'>[],
  { workers }: Pick<Config['pipeline'], 'workers'>,
): Record<Call['priority'], number> {
  const judges = experts.filter(({ tasks }) => tasks.includes('sentiment'))
  // Nobody judges without it: giving up would have the same texts read from the start again, for ever where that takes too long.
  if (judges.length === 1)
    return { live: Number.POSITIVE_INFINITY, history: Number.POSITIVE_INFINITY }
  return { live: workers.withinMs, history: workers.withinMs * historyPatience }
}

/** Three bytes of UTF-8 a UTF-16 unit at most, and no text alone is longer than a turn. */
const turnMegabytes = (3 * judgedAtOnce.characters) / 2 ** 20

/** The log is the queue: partitions take turns before they fill the queue of an expert, which would have the posts judged without it. */
function inTurns(analyst: Analyst, { workers }: Config['pipeline']): Analyst {
  const { queueTexts, queueMegabytes } = workers
  const turns = new Turns(
    Math.floor(Math.min(queueTexts / judgedAtOnce.posts, queueMegabytes / turnMegabytes)),
  )
  return { ...analyst, judge: (posts, call) => turns.take(() => analyst.judge(posts, call)) }
}

function failuresOf(
  experts: readonly GuardedExpert[],
  weights: Pick<WeightKeeper, 'health'>,
): Record<string, AppError> {
  const parts = [...experts, { name: 'weights', health: weights.health }]
  return Object.fromEntries(
    parts.flatMap(({ name, health }) => {
      const failure = health()
      return failure === undefined ? [] : [[name, failure]]
    }),
  )
}
