/** The dashboards over a real store in a temporary folder, listening on a free port of loopback. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'
import { Registry } from 'prom-client'
import { silentLogger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import type { DashboardsDeps } from './dependencies.ts'
import { createDashboards, type Dashboards } from './main.ts'
import { createServer, listen } from './server.ts'

export interface TestStore {
  readonly store: Store
  close(): Promise<void>
}

/** One a process: the embedded engine owns its folder. */
export async function openTestStore(): Promise<TestStore> {
  const path = await mkdtemp(join(tmpdir(), 'tickertone-dashboards-'))
  const store = await openEmbeddedStore({ path })
  return {
    store,
    async close() {
      await store.close()
      await rm(path, { recursive: true })
    },
  }
}

export interface Monitor {
  readonly url: string
  readonly dashboards: Dashboards
  close(): Promise<void>
}

export async function startMonitor(
  store: Store,
  options: {
    readonly deps?: Partial<DashboardsDeps>
    readonly port?: number
    readonly plugins?: readonly FastifyPluginAsync[]
  } = {},
): Promise<Monitor> {
  const dashboards = createDashboards({
    store,
    logTopic: 'posts@0',
    clock: Date.now,
    logger: silentLogger,
    instrumentName: (id) => (id === 'US:AAPL' ? 'Apple' : undefined),
    replayStatus: () => null,
    versions: { tickertone: '0.1.0' },
    ...options.deps,
  })
  const server = createServer({
    logger: silentLogger,
    version: '0.1.0',
    instance: 'test',
    metrics: new Registry(),
    readiness: () => ({ ready: true, checks: { store: 'open' } }),
  })
  for (const plugin of [dashboards.plugin, ...(options.plugins ?? [])]) void server.register(plugin)
  const url = await listen(server, { host: '127.0.0.1', port: options.port ?? 0 })
  return { url, dashboards, close: () => server.close() }
}
