/** The role pipeline: experts, allocator, calibration and linker around the consumer of `posts`. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Registry } from 'prom-client'
import type { Clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { AppError } from '../infra/errors.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Store } from '../infra/store/store.ts'
import { type Analyst, type AnalystDeps, createAnalyst } from './allocator/analyst.ts'
import { createCosts, type MeasuredCosts } from './allocator/costs.ts'
import { loadFusion, type ServedFusion } from './allocator/served-fusion.ts'
import { createStrategies, type Strategies } from './allocator/strategies.ts'
import { createTraffic, type Traffic } from './allocator/traffic.ts'
import type { WeightKeeper } from './allocator/weights/keeper.ts'
import { createConsumptionMetrics } from './consumption-metrics.ts'
import { createLetters } from './deadletters/letters.ts'
import type { Linker } from './entities/mention.ts'
import { createErasures, type Erasures, type IsErased } from './erasure/erasures.ts'
import type { ErasableLog } from './erasure/log.ts'
import { createExpertWatch, type ExpertWatch } from './expert-watch.ts'
import type { GuardedExpert } from './experts/breaker.ts'
import type { Call, Expert } from './experts/expert.ts'
import { type ExpertsDeps, loadExperts, loadShadow } from './experts/registry.ts'
import { createLabelling, type Labelling } from './feedback/labelling.ts'
import { createPoolMetrics } from './metrics.ts'
import type { StreamMonitor } from './monitor/monitor.ts'
import { openStreamMonitor } from './monitor/open.ts'
import { createPipeline, type Pipeline } from './pipeline.ts'
import { allocationRoutes } from './routes/allocation.ts'
import { deadLetterRoutes } from './routes/deadletters.ts'
import { erasureRoutes } from './routes/erasures.ts'
import { explainRoutes } from './routes/explain.ts'
import { createExpertServing, type ExpertServing, type Judging } from './serving/expert-serving.ts'
import { Turns } from './turns.ts'
import { judgedAtOnce } from './verdicts.ts'

export interface PipelineRole {
  /** The routes of the role. */
  readonly plugin: FastifyPluginAsyncTypebox
  /** Ends after the blocks in hand are stored; what is being judged is left to the next start. Idempotent. */
  stop(): Promise<void>
  /** Why experts cannot answer now, by name: the others judge without them. And why `weights` learn no more. */
  failures(): Readonly<Record<string, AppError>>
  /** Goes on with erasures that were begun before this start, once alerts are there. */
  resumeErasures(): void
}

export interface PipelineRoleDeps {
  /** The embedded one can be rewritten: what is forgotten is forgotten there too. */
  readonly log: Log & Pick<ErasableLog, 'rewrite'>
  readonly store: Store
  readonly logTopic: string
  readonly config: Config['pipeline']
  readonly linker: Linker
  readonly clock: Clock
  readonly logger: Logger
  readonly registry?: Registry
  onFatal(error: unknown): void
  /** What keeps a partition from its work; undefined when it works again. */
  onHealth?(partition: number, error: unknown): void
  /** Empties texts that alerts show; answers how many events and snapshots. */
  eraseAlerts?(isErased: IsErased): Promise<number>
}

/**
 * Loads models, folds `feedback` and `control`, then consumes. Rejects with CONFIG, MODEL, WEIGHTS, PROVIDER, WORKER, FEEDBACK, or LOG_REPLACED
 * (before anything is appended to a log that is not the one the store was filled from), and leaves nothing running then.
 */
export async function startPipelineRole(deps: PipelineRoleDeps): Promise<PipelineRole> {
  const stops: Stop[] = []
  const stop = async () => {
    for (const each of stops.toReversed()) await each()
  }
  try {
    const watchers = openWatchers(deps)
    const judges = await startJudges(deps, watchers, stops)
    const erasures = createErasures({
      ...deps,
      isConsumed: true,
      eraseAlerts: async (isErased) => (await deps.eraseAlerts?.(isErased)) ?? 0,
    })
    await erasures.load()
    const serving = await startServing(deps, watchers, judges, erasures, stops)
    const labelling = labellingOf(deps, judges.panel, serving)
    stops.push(() => labelling.stop())
    const letters = createLetters({ ...deps, isErased: erasures.isErased })
    stops.push(() => letters.stop())
    const pipeline = pipelineOf(deps, { watchers, judges, serving, erasures })
    stops.push(() => pipeline.stop())
    stops.push(() => erasures.stop())
    await pipeline.start()
    await labelling.start()
    await letters.start()
    return {
      plugin: async (app) => {
        await app.register(allocationOf(deps.config, watchers, judges))
        await app.register(explainRoutes({ store: deps.store, stacking: judges.fusion.stacking }))
        await app.register(labelling.plugin)
        await app.register(serving.plugin)
        await app.register(deadLetterRoutes(letters))
        await app.register(erasureRoutes(erasures))
      },
      stop,
      failures: () => failuresOf(judges.panel.experts, judges.strategies.keeper),
      resumeErasures: () => erasures.resume(),
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Of one part. What started last is stopped first. */
type Stop = () => Promise<unknown>

/** What keeps an eye on the work, and decides nothing itself. */
interface Watchers {
  readonly monitor: StreamMonitor
  readonly costs: MeasuredCosts
  readonly traffic: Traffic
  readonly experts: ExpertWatch
}

function openWatchers(deps: PipelineRoleDeps): Watchers {
  return {
    monitor: openStreamMonitor(deps),
    costs: createCosts(),
    traffic: createTraffic(deps.registry),
    experts: createExpertWatch(deps),
  }
}

/** Experts, how they are fused, and the strategies that choose among them. */
interface Judges {
  readonly panel: Panel
  readonly fusion: ServedFusion
  readonly strategies: Strategies
}

async function startJudges(
  deps: PipelineRoleDeps,
  { costs, traffic }: Watchers,
  stops: Stop[],
): Promise<Judges> {
  const { config, registry } = deps
  const panel = await loadPanel(config, {
    ...deps,
    costs,
    ...(registry && { pools: createPoolMetrics(registry) }),
    onCircuit: traffic.circuit,
  })
  stops.push(() => closePanel(panel))
  const fusion = loadFusion(config, panel.experts)
  const strategies = createStrategies({
    ...deps,
    ...fusion,
    config: config.allocator,
    experts: panel.experts,
    costs,
    onDrift: traffic.drifted,
  })
  stops.push(() => strategies.stop())
  await strategies.start()
  return { panel, fusion, strategies }
}

async function startServing(
  deps: PipelineRoleDeps,
  watchers: Watchers,
  judges: Judges,
  { isErased }: Pick<Erasures, 'isErased'>,
  stops: Stop[],
): Promise<ExpertServing> {
  const { config } = deps
  const { panel, fusion, strategies } = judges
  const turns = turnsOf(config)
  const serving = createExpertServing({
    ...deps,
    ...panel,
    ...fusion,
    allocator: strategies.allocator,
    shadowShare: config.shadow.share,
    isErased,
    withinMs: withinMsOf(panel.experts, config).history,
    analystOf: (judging, isLive) =>
      inTurns(turns, createAnalyst(analystDeps(config, watchers, judges, judging, isLive))),
  })
  stops.push(() => serving.analyst.close())
  stops.push(() => serving.stop())
  await serving.start()
  return serving
}

function analystDeps(
  config: Config['pipeline'],
  { costs, traffic, experts }: Watchers,
  { panel, fusion, strategies }: Judges,
  judging: Judging,
  isLive: boolean,
): AnalystDeps {
  return {
    ...judging,
    experts: loadedOf(panel),
    costs,
    stacking: fusion.stacking,
    shadowWaitMs: (posts) => shadowWaitMs(posts, config),
    onExpertFailure: experts.failed,
    onExpertAnswer: experts.answered,
    onJudged(judgements) {
      if (!isLive) return
      traffic.judged(judgements)
      strategies.judged(judgements)
    },
  }
}

function labellingOf(deps: PipelineRoleDeps, panel: Panel, serving: ExpertServing): Labelling {
  return createLabelling({
    ...deps,
    experts: loadedOf(panel),
    isShadow: (name) => !serving.votes(name),
  })
}

function pipelineOf(
  deps: PipelineRoleDeps,
  parts: {
    readonly watchers: Watchers
    readonly judges: Judges
    readonly serving: ExpertServing
    readonly erasures: Erasures
  },
): Pipeline {
  const { config } = deps
  const { watchers, judges, serving, erasures } = parts
  const { budget } = judges.strategies
  return createPipeline({
    ...deps,
    analyst: serving.analyst,
    gate: serving.gate,
    isErased: erasures.isErased,
    labelRates: {
      share: config.allocator.labelShare,
      uniformShare: config.allocator.labelUniformShare,
    },
    withinMs: withinMsOf(judges.panel.experts, config),
    flushMs: config.flushMs,
    limits: { maxBytes: config.maxHeldMegabytes * 1_048_576, maxMs: config.maxHeldMs },
    ...(deps.registry && { metrics: createConsumptionMetrics(deps.registry) }),
    onBacklog: ({ posts, oldestMs }) => budget.waiting(posts, oldestMs),
    onStored: watchers.monitor.observe,
  })
}

function allocationOf(
  config: Config['pipeline'],
  { costs, traffic, monitor }: Watchers,
  { panel, strategies }: Judges,
): FastifyPluginAsyncTypebox {
  return allocationRoutes({
    ...panel,
    ...strategies,
    budgetMs: config.allocator.budgetMs,
    costs,
    traffic,
    monitor,
  })
}

interface Panel {
  readonly experts: readonly GuardedExpert[]
  readonly shadows: readonly GuardedExpert[]
}

function loadedOf({ experts, shadows }: Panel): readonly GuardedExpert[] {
  return [...experts, ...shadows]
}

async function closePanel(panel: Panel): Promise<void> {
  await Promise.all(loadedOf(panel).map((expert) => expert.close()))
}

async function loadPanel(config: Config['pipeline'], deps: ExpertsDeps): Promise<Panel> {
  const experts = await loadExperts(config, deps)
  try {
    const shadow = await loadShadow(config, deps)
    return { experts, shadows: shadow === undefined ? [] : [shadow] }
  } catch (error) {
    await closePanel({ experts, shadows: [] })
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
function turnsOf({ workers: { queueTexts, queueMegabytes } }: Config['pipeline']): Turns {
  return new Turns(
    Math.floor(Math.min(queueTexts / judgedAtOnce.posts, queueMegabytes / turnMegabytes)),
  )
}

function inTurns(turns: Turns, analyst: Analyst): Analyst {
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
