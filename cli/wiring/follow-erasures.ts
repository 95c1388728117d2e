/**
 * Forgetting in the memory of alerts that run beside no pipeline: an erasure that another process has done is repeated here, since texts that the engine
 * held then would be stored again. Those done shortly before the start too: a process that ended meanwhile may have stored them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../infra/clock.ts'
import { describeError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import { type Erasure, readErasures } from '../../pipeline/erasure/table.ts'
import { isTargeted } from '../../pipeline/erasure/target.ts'
import type { EraseAlerts } from './roles.ts'

const defaultPollMs = 5_000
const repeatedMs = 3_600_000

export function followErasures(deps: {
  readonly store: Pick<Store, 'query'>
  readonly clock: Clock
  readonly logger: Logger
  readonly forget: EraseAlerts
  readonly pollMs?: number
}): { stop(): Promise<void> } {
  const { store, clock, logger, forget, pollMs = defaultPollMs } = deps
  const startedAt = clock()
  const repeated = new Set<string>()
  const stopping = new AbortController()
  const { signal } = stopping

  const isNews = ({ id, doneAt }: Erasure): boolean =>
    doneAt !== undefined && doneAt > startedAt - repeatedMs && !repeated.has(id)

  async function repeat(): Promise<void> {
    for (const { id, target } of (await readErasures(store)).filter(isNews)) {
      await forget((claims) => isTargeted(target, claims))
      repeated.add(id)
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await repeat().catch((error: unknown) =>
        logger.warn({ error: describeError(error) }, 'erasures were not repeated for alerts'),
      )
      await sleep(pollMs, undefined, { signal }).catch(() => undefined)
    }
  }

  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
