/** The role pipeline: experts, allocator, calibration and linker around the consumer of `posts`. */
import type { Registry } from 'prom-client'
import type { Clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { AppError } from '../infra/errors.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Store } from '../infra/store/store.ts'
import { type Analyst, createAnalyst } from './allocator/analyst.ts'
import { createCalibration, readFusion } from './allocator/calibration.ts'
import { createStaticAllocator } from './allocator/static.ts'
import { createLinker } from './entities/link.ts'
import type { Instrument } from './entities/mention.ts'
import { createExpertWatch } from './expert-watch.ts'
import type { Call, Expert } from './experts/expert.ts'
import { loadExperts } from './experts/registry.ts'
import { createPipeline } from './pipeline.ts'
import { Gate } from './serving/gate.ts'
import { Turns } from './turns.ts'
import { judgedAtOnce } from './verdicts.ts'

export interface PipelineRole {
  /** Ends after the blocks in hand are stored; what is being judged is left to the next start. Idempotent. */
  stop(): Promise<void>
  instrument(id: string): Instrument | undefined
  /** Why experts cannot answer now, by name: the others judge without them. */
  expertFailures(): Readonly<Record<string, AppError>>
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
 * Loads gazetteers and models, then consumes. Rejects with CONFIG, MODEL, PROVIDER, WORKER, or LOG_REPLACED (before anything is appended to a log
 * that is not the one the store was filled from), and leaves nothing running then.
 */
export async function startPipelineRole(deps: PipelineRoleDeps): Promise<PipelineRole> {
  const { config } = deps
  const linker = createLinker(
    config.overridesFile === '' ? {} : { overridesFile: config.overridesFile },
  )
  const experts = await loadExperts(config, deps)
  const analyst = inTurns(analystOf(experts, deps), config)
  const pipeline = createPipeline({
    ...deps,
    analyst,
    linker,
    withinMs: withinMsOf(experts, config),
    flushMs: config.flushMs,
    gate: new Gate(),
  })
  const stop = async () => {
    await pipeline.stop()
    await analyst.close()
  }
  try {
    await pipeline.start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    stop,
    instrument: (id) => linker.instrument(id),
    expertFailures: () => failuresOf(experts),
    versions: Object.fromEntries(experts.map(({ name, version }) => [name, version])),
  }
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

function failuresOf(experts: readonly Expert[]): Record<string, AppError> {
  return Object.fromEntries(
    experts.flatMap((expert) => {
      const failure = expert.health?.()
      return failure === undefined ? [] : [[expert.name, failure]]
    }),
  )
}

function analystOf(experts: readonly Expert[], deps: PipelineRoleDeps): Analyst {
  const { config } = deps
  const watch = createExpertWatch(deps)
  const fusion = readFusion()
  return createAnalyst({
    experts,
    allocator: createStaticAllocator({ experts, weights: config.weights }),
    calibration: createCalibration(fusion.temperatures),
    referenceWeights: fusion.reference_weights,
    onExpertFailure: watch.failed,
    onExpertAnswer: watch.answered,
  })
}
