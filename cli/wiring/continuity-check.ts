/** The nightly check that every block of the table starts where the last one ended: in the process that reads the table for alerts. */
import type { Logger } from '../../infra/logger.ts'
import { schedule } from '../../infra/schedule.ts'
import { checkContinuity } from '../../infra/store/continuity.ts'
import type { Store } from '../../infra/store/store.ts'

export function startContinuityCheck(deps: {
  readonly store: Store
  readonly logTopic: string
  readonly logger: Logger
  isActive(): boolean
}): { stop(): Promise<void> } {
  const { store, logTopic, logger, isActive } = deps
  const stopping = new AbortController()
  const job = schedule(
    '15 3 * * *',
    'UTC',
    async () => {
      if (!isActive()) return
      const faults = await checkContinuity(store, logTopic, stopping.signal)
      if (faults.length > 0) logger.error({ faults }, 'analyses has missing or doubled offsets')
    },
    logger,
  )
  return {
    async stop() {
      stopping.abort()
      await job.stop()
    },
  }
}
