/** The role ingest: takes posts over HTTP to the log. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Clock } from '../infra/clock.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import { defaultLimits, Intake, type IntakeLimits } from './intake.ts'
import { createPush } from './push.ts'

export interface Ingest {
  /** `POST /api/posts`. */
  readonly plugin: FastifyPluginAsyncTypebox
  /** Before it (and after stop) push answers 503. The topic `posts` must exist. Idempotent. */
  start(): Promise<void>
  /** Resolves when the appends under way are done; the log stays open. Idempotent. */
  stop(): Promise<void>
}

export function createIngest(deps: {
  readonly log: Pick<Log, 'append'>
  readonly clock: Clock
  readonly logger: Logger
  readonly limits?: Partial<IntakeLimits>
}): Ingest {
  const { log, clock, logger } = deps
  const intake = new Intake({ log, logger, limits: { ...defaultLimits, ...deps.limits } })
  return {
    plugin: createPush({ intake, clock }),
    start: async () => intake.start(),
    stop: () => intake.stop(),
  }
}
