/** One role of a cluster in a process of its own. */
import { randomUUID } from 'node:crypto'
import { eraseAlertTexts } from '../alerts/erase-texts.ts'
import { forwardRoutes } from '../dashboards/forwarding.ts'
import type { RoleName } from './role-names.ts'
import { type Floor, openFloor, type ProcessDeps } from './wiring/floor.ts'
import { followErasures } from './wiring/follow-erasures.ts'
import {
  type MountedRole,
  mountAlerts,
  mountDashboards,
  mountIngest,
  mountPipeline,
} from './wiring/roles.ts'
import { serve } from './wiring/serve.ts'

/** Resolves with the address of the role's routes. Whoever calls stops the lifecycle, also after a failure. */
export async function startRole(deps: ProcessDeps, name: RoleName): Promise<string> {
  const floor = await openFloor(deps)
  let url = ''
  const role = await mount(floor, name, () => url)
  const plugins = [role.plugin]
  // The page asks its own address for everything.
  if (name === 'dashboards') plugins.push(forwardRoutes(targetsOf(floor)))
  url = await serve(floor, plugins, randomUUID())
  await role.begin()
  floor.health.started()
  return url
}

function mount(
  floor: Floor,
  name: RoleName,
  ownUrl: () => string,
): MountedRole | Promise<MountedRole> {
  switch (name) {
    case 'ingest':
      return mountIngest(floor)
    case 'pipeline':
      return mountPipeline(floor, (isErased) => eraseAlertTexts(floor.store, isErased))
    case 'alerts':
      return mountLoneAlerts(floor, ownUrl)
    case 'dashboards':
      return mountDashboards(floor, () => null)
  }
}

/** Beside no pipeline that would tell them what to forget. */
async function mountLoneAlerts(floor: Floor, ownUrl: () => string): Promise<MountedRole> {
  const { plugin, begin, forget } = await mountAlerts(floor, ownUrl)
  return {
    plugin,
    async begin() {
      await begin()
      await floor.lifecycle.start(
        'erasures of alerts',
        () => followErasures({ ...floor, forget }),
        (follower) => follower.stop(),
      )
    },
  }
}

function targetsOf({ config: { forward } }: Floor) {
  return {
    ingest: forward.ingestUrl,
    pipeline: forward.pipelineUrl,
    alerts: forward.alertsUrl,
  }
}
