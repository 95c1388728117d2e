/** A real store in a temporary folder, and a server for tests on loopback. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'
import { Registry } from 'prom-client'
import { silentLogger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import type { DashboardsDeps } from './dependencies.ts'
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

/** What `createDashboards` needs, over a test's store. */
export function testDeps(store: Store, deps: Partial<DashboardsDeps> = {}): DashboardsDeps {
  return {
    store,
    logTopic: 'posts@0',
    clock: Date.now,
    logger: silentLogger,
    instrument: (id) => (id === 'US:AAPL' ? { name: 'Apple', ticker: 'AAPL' } : undefined),
    replayStatus: () => null,
    versions: { tickertone: '0.1.0' },
    ...deps,
  }
}

export interface Monitor {
  readonly url: string
  close(): Promise<void>
}

/** A server with the plugins on `port`, or on a free one. */
export async function startMonitor(
  plugins: readonly FastifyPluginAsync[],
  port = 0,
): Promise<Monitor> {
  const server = createServer({
    logger: silentLogger,
    version: '0.1.0',
    instance: 'test',
    metrics: new Registry(),
    readiness: () => ({ ready: true, checks: { store: 'open' } }),
  })
  for (const plugin of plugins) void server.register(plugin)
  const url = await listen(server, { host: '127.0.0.1', port })
  return { url, close: () => server.close() }
}
