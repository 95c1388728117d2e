/** The role ingest: takes posts over HTTP, and from live sources, to the log. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Clock } from '../infra/clock.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import { defaultLimits, Intake, type IntakeLimits } from './intake.ts'
import { createPush } from './push.ts'
import { createSourceRoutes } from './sources/routes.ts'
import { createSources, type LiveSources } from './sources/sources.ts'

export interface Ingest {
  /** `POST /api/posts` and `GET /api/sources`. */
  readonly plugin: FastifyPluginAsyncTypebox
  /** Before it (and after stop) push answers 503 and no source is read. The topics `posts` and `posts.dead` must exist. Idempotent. */
  start(): Promise<void>
  /** Resolves when the appends under way are done; the log stays open. Idempotent. */
  stop(): Promise<void>
  /** Sources that fail or are silent, by `source NAME`: the monitor works without them. */
  troubles(): Readonly<Record<string, string>>
}

export function createIngest(deps: {
  readonly log: Pick<Log, 'append'>
  readonly clock: Clock
  readonly logger: Logger
  readonly limits?: Partial<IntakeLimits>
  /** Without them nothing but push brings posts. */
  readonly live?: LiveSources
}): Ingest {
  const { log, clock, logger, live } = deps
  const intake = new Intake({ log, logger, limits: { ...defaultLimits, ...deps.limits } })
  const sources = live && createSources({ ...live, log, clock, logger })
  return {
    plugin: async (app) => {
      await app.register(createPush({ intake, clock }))
      await app.register(createSourceRoutes(() => sources?.statuses() ?? []))
    },
    async start() {
      intake.start()
      sources?.start()
    },
    async stop() {
      await sources?.stop()
      await intake.stop()
    },
    troubles: () => sources?.troubles() ?? {},
  }
}
