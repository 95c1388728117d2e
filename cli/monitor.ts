/** One process with all roles: in which order they start, and the replay beside them. */
import { randomUUID } from 'node:crypto'
import { announce, withdraw } from '../infra/running.ts'
import { type RunningDemo, startDemo } from './demo.ts'
import { openFloor, type ProcessDeps } from './wiring/floor.ts'
import { mountAlerts, mountDashboards, mountIngest, mountPipeline } from './wiring/roles.ts'
import { serve } from './wiring/serve.ts'

/**
 * Starts every part in order and resolves with the address of the page. Whoever calls stops the lifecycle, also after a failure.
 * The pipeline has compared log and store before anything can be appended.
 */
export async function startMonitor(
  deps: ProcessDeps,
  { demo }: { readonly demo: boolean },
): Promise<string> {
  const { lifecycle, config } = deps
  const floor = await openFloor(deps)
  let replay: RunningDemo | undefined
  let url = ''
  const pipeline = await mountPipeline(floor, (isErased) => alerts.forget(isErased))
  const alerts = await mountAlerts(floor, () => url)
  const roles = [
    mountIngest(floor),
    alerts,
    pipeline,
    mountDashboards(floor, () => replay?.status() ?? null),
  ]
  const instance = randomUUID()
  url = await serve(
    floor,
    roles.map(({ plugin }) => plugin),
    instance,
  )
  await lifecycle.start(
    'announcement',
    () => announce(config.dataDir, { url, instance }),
    () => withdraw(config.dataDir),
  )
  for (const role of roles) await role.begin()
  if (demo) {
    replay = await lifecycle.start(
      'demo',
      () =>
        startDemo({
          ...floor,
          config: config.demo,
          seeded: (offset, signal) => alerts.seeded(offset, signal),
        }),
      (running) => running.stop(),
    )
  }
  floor.health.started()
  return url
}
