/** One HTTP server for the roles of a process. */
import type { FastifyPluginAsync } from 'fastify'
import { createServer, listen } from '../../dashboards/server.ts'
import { version } from '../version.ts'
import type { Floor } from './floor.ts'

/** Resolves with the address once it listens. `instance` tells this process from another one at the same address. */
export async function serve(
  { lifecycle, logger, registry, health, config }: Floor,
  plugins: readonly FastifyPluginAsync[],
  instance: string,
): Promise<string> {
  const server = createServer({
    logger,
    version,
    instance,
    metrics: registry,
    readiness: () => health.readiness(),
  })
  for (const plugin of plugins) await server.register(plugin)
  return lifecycle.start(
    'http',
    () => listen(server, config.http),
    () => server.close(),
  )
}
