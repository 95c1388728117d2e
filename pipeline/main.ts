/** The role pipeline: experts, allocator, calibration and linker around the consumer of `posts`. */
import type { Clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import { describeError } from '../infra/errors.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Store } from '../infra/store/store.ts'
import { createAnalyst } from './allocator/analyst.ts'
import { createCalibration, readFusion } from './allocator/calibration.ts'
import { createStaticAllocator } from './allocator/static.ts'
import { createLinker } from './entities/link.ts'
import type { Instrument } from './entities/mention.ts'
import type { Call } from './experts/expert.ts'
import { loadExperts } from './experts/registry.ts'
import { createPipeline } from './pipeline.ts'

export interface PipelineRole {
  /** Throws LOG_REPLACED, before anything is appended to a log that is not the one the store was filled from. */
  start(): Promise<void>
  /** Ends after the batches in hand are stored. Idempotent. */
  stop(): Promise<void>
  instrument(id: string): Instrument | undefined
  /** Of the experts, by name. */
  readonly versions: Readonly<Record<string, string>>
}

/** Loads models and gazetteers: throws MODEL or CONFIG when one is damaged. */
export function createPipelineRole(deps: {
  readonly log: Log
  readonly store: Store
  readonly logTopic: string
  readonly config: Config['pipeline']
  readonly clock: Clock
  readonly logger: Logger
  onFatal(error: unknown): void
  /** What keeps a partition from its work; undefined when it works again. */
  onHealth?(partition: number, error: unknown): void
}): PipelineRole {
  const { config, logger } = deps
  const linker = createLinker(
    config.overridesFile === '' ? {} : { overridesFile: config.overridesFile },
  )
  const experts = loadExperts()
  const analyst = createAnalyst({
    experts,
    allocator: createStaticAllocator({ experts, weights: config.weights }),
    calibration: createCalibration(readFusion().temperatures),
    referenceWeights: config.weights,
    onExpertFailure: (expert, error) =>
      logger.error({ expert, error: describeError(error) }, 'expert failed on a batch'),
  })
  const pipeline = createPipeline({
    ...deps,
    analyst,
    linker,
    withinMs: withinMsOf(config),
    flushMs: config.flushMs,
  })
  return {
    start: () => pipeline.start(),
    async stop() {
      await pipeline.stop()
      await analyst.close()
    },
    instrument: (id) => linker.instrument(id),
    versions: Object.fromEntries(experts.map(({ name, version }) => [name, version])),
  }
}

/** History has no reader who waits for it: it gives up only on an expert that does not come back. */
const historyPatience = 20

function withinMsOf({ workers }: Config['pipeline']): Record<Call['priority'], number> {
  return { live: workers.withinMs, history: workers.withinMs * historyPatience }
}
