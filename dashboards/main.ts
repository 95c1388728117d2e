/** Wires the pages and their API: one Fastify plugin, and the live stream behind it. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { createTail } from '../infra/store/tail.ts'
import type { DashboardsDeps } from './dependencies.ts'
import { feedColumns } from './feed-post.ts'
import { feedRoutes } from './routes/feed.ts'
import { overviewRoutes } from './routes/overview.ts'
import { pageRoutes } from './routes/pages.ts'
import { sqlRoutes } from './routes/sql.ts'
import { statusRoutes } from './routes/status.ts'
import { AlertEvents } from './stream/alert-events.ts'
import { Hub } from './stream/hub.ts'

export interface Dashboards {
  /** The page at `/` and the routes under `/api`. Closing the server ends the open streams. */
  readonly plugin: FastifyPluginAsync
}

export function createDashboards(deps: DashboardsDeps): Dashboards {
  const hub = new Hub({
    tail: createTail(deps.store, deps.logTopic, feedColumns),
    logTopic: deps.logTopic,
    logger: deps.logger,
    find: deps.instrument,
  })
  const alertEvents = new AlertEvents({ ...deps, onEvent: (json) => hub.publishAlert(json) })
  return {
    plugin: async (server: FastifyInstance) => {
      server.addHook('onReady', () => alertEvents.start())
      server.addHook('preClose', async () => {
        await alertEvents.stop()
        await hub.stop()
      })
      overviewRoutes(server, deps)
      feedRoutes(server, deps, hub)
      statusRoutes(server, deps)
      sqlRoutes(server, deps)
      await pageRoutes(server)
    },
  }
}
