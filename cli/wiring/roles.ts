/** One way to build each role, for a process that runs all of them and for one that runs one. */
import type { FastifyPluginAsync } from 'fastify'
import { createAlerts, createPrintChannel } from '../../alerts/main.ts'
import type { ReplayStatus } from '../../dashboards/contract.ts'
import { createDashboards } from '../../dashboards/main.ts'
import { joinGroupLock } from '../../infra/log/group-lock.ts'
import { createIngest } from '../../ingest/main.ts'
import { startPipelineRole } from '../../pipeline/main.ts'
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
  const ingest = createIngest(floor)
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
export async function mountPipeline(floor: Floor): Promise<MountedRole> {
  const { lifecycle, config, health } = floor
  const pipeline = await lifecycle.start(
    'pipeline',
    () =>
      startPipelineRole({
        ...floor,
        config: config.pipeline,
        linker: floor.linker(),
        onHealth: (partition, error) => health.report(`pipeline ${partition}`, error),
      }),
    (role) => role.stop(),
  )
  health.watch(() => pipeline.failures())
  return { plugin: pipeline.plugin, begin: async () => {} }
}

export interface MountedAlerts extends MountedRole {
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
