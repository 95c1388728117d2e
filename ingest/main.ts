/** The role ingest: takes posts over HTTP, and from live sources, to the log. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Clock } from '../infra/clock.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import { defaultLimits, Intake, type IntakeLimits } from './intake.ts'
import { createPush } from './push.ts'
import { createSourceRoutes } from './sources/routes.ts'
import type { LiveSources, Sources } from './sources/sources.ts'

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
  let sources: Sources | undefined

  /** What reads feeds is loaded where there are some: it takes a tenth of a start. */
  async function startSources(configured: LiveSources): Promise<void> {
    if (configured.configs.length === 0) return
    const { createSources } = await import('./sources/sources.ts')
    sources ??= createSources({ ...configured, log, clock, logger })
    sources.start()
  }

  return {
    plugin: async (app) => {
      await app.register(createPush({ intake, clock }))
      await app.register(createSourceRoutes(() => sources?.statuses() ?? []))
    },
    async start() {
      intake.start()
      if (live !== undefined) await startSources(live)
    },
    async stop() {
      await sources?.stop()
      await intake.stop()
    },
    troubles: () => sources?.troubles() ?? {},
  }
}
