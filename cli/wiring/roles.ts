/** One way to build each role, for a process that runs all of them and for one that runs one. */
import type { FastifyPluginAsync } from 'fastify'
import { createAlerts, createPrintChannel } from '../../alerts/main.ts'
import type { ReplayStatus } from '../../dashboards/contract.ts'
import { createDashboards } from '../../dashboards/main.ts'
import { joinGroupLock } from '../../infra/log/group-lock.ts'
import { createIngest } from '../../ingest/main.ts'
import type { IsErased } from '../../pipeline/erasure/erasures.ts'
import { startPipelineRole } from '../../pipeline/main.ts'
import { liveSourcesOf } from '../live-sources.ts'
import { version } from '../version.ts'
import { startContinuityCheck } from './continuity-check.ts'
import type { Floor } from './floor.ts'
import { usesKafka } from './open-log.ts'

export interface MountedRole {
  readonly plugin: FastifyPluginAsync
  /** Begins the work that waits until the process answers requests. */
  begin(): Promise<void>
}

export function mountIngest(floor: Floor): MountedRole {
  const { config, registry, health } = floor
  const ingest = createIngest({ ...floor, live: { ...liveSourcesOf(config), registry } })
  health.note(() => ingest.troubles())
  return {
    plugin: ingest.plugin,
    async begin() {
      await floor.lifecycle.start(
        'ingest',
        () => ingest.start(),
        () => ingest.stop(),
      )
    },
  }
}

/** Consumes when it resolves: log and store were compared before anything can be appended here. */
export async function mountPipeline(floor: Floor, eraseAlerts: EraseAlerts): Promise<MountedRole> {
  const { lifecycle, config, health } = floor
  const pipeline = await lifecycle.start(
    'pipeline',
    () =>
      startPipelineRole({
        ...floor,
        config: config.pipeline,
        linker: floor.linker(),
        eraseAlerts,
        onHealth: (partition, error) => health.report(`pipeline ${partition}`, error),
      }),
    (role) => role.stop(),
  )
  health.watch(() => pipeline.failures())
  return { plugin: pipeline.plugin, begin: async () => pipeline.resumeErasures() }
}

/** Empties texts that alerts show; answers how many events and snapshots. */
export type EraseAlerts = (isErased: IsErased) => Promise<number>

export interface MountedAlerts extends MountedRole {
  readonly forget: EraseAlerts
  /** Resolves when the `control` record at `offset` is in effect. */
  seeded(offset: number, signal: AbortSignal): Promise<void>
}

/** Of several processes one raises and sends alerts; an embedded log has one anyway. `ownUrl`: where this process listens. */
export async function mountAlerts(floor: Floor, ownUrl: () => string): Promise<MountedAlerts> {
  const { lifecycle, health, stdout, config } = floor
  const lock = usesKafka(config)
    ? await lifecycle.start(
        'alerts lock',
        () => joinGroupLock(floor.log, 'tickertone.alerts'),
        (lock) => lock.stop(),
      )
    : undefined
  const isActive = (): boolean => lock?.isHeld() ?? true
  health.note(() => (isActive() ? {} : { alerts: 'stands by: another process raises and sends' }))
  const alerts = createAlerts({
    ...floor,
    isActive,
    publicUrl: () => config.http.publicUrl || ownUrl(),
    instrumentName: (id) => floor.linker().instrument(id)?.name ?? id,
    channels: [createPrintChannel(stdout)],
    onHealth: (error) => health.report('alerts', error),
  })
  return {
    plugin: alerts.plugin,
    forget: (isErased) => alerts.forget(isErased),
    seeded: (offset, signal) => alerts.seeded(offset, signal),
    async begin() {
      await lifecycle.start(
        'alerts',
        () => alerts.start(),
        () => alerts.stop(),
      )
      await lifecycle.start(
        'continuity check',
        () => startContinuityCheck({ ...floor, isActive }),
        (check) => check.stop(),
      )
    },
  }
}

export function mountDashboards(
  floor: Floor,
  replayStatus: () => ReplayStatus | null,
): MountedRole {
  const dashboards = createDashboards({
    ...floor,
    replayStatus,
    instrument: (id) => floor.linker().instrument(id),
    versions: { tickertone: version },
  })
  return { plugin: dashboards.plugin, begin: async () => {} }
}
