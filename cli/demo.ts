/** The replay of `npm start`: history first, then baselines from it, then dense days live. */
import { setTimeout as delay } from 'node:timers/promises'
import { seedBaselines } from '../alerts/main.ts'
import type { Clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import { describeError } from '../infra/errors.ts'
import { type Log, topics } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Tail } from '../infra/store/tail.ts'
import { type DemoStatus, demoDays, demoSource, playDemo } from '../ingest/demo.ts'

export interface RunningDemo {
  status(): DemoStatus
  stop(): Promise<void>
}

const pollMs = 50

export function startDemo(deps: {
  readonly log: Log
  readonly tail: Tail
  readonly clock: Clock
  readonly logger: Logger
  readonly config: Config['demo']
  /** Resolves when the alert engine has folded the `control` record at `offset`. */
  seeded(offset: number, signal: AbortSignal): Promise<void>
}): RunningDemo {
  const { log, tail, clock, logger } = deps
  const { speed, from, to } = deps.config
  const stopping = new AbortController()
  const { signal } = stopping
  const runId = `demo-${clock().toString(36)}`

  async function learnFromHistory(): Promise<void> {
    await untilStored(log, tail, signal)
    signal.throwIfAborted()
    const range = { from: 0, to: clock() + 1, source: demoSource, idPrefix: `${runId}-` }
    await deps.seeded(await seedBaselines({ log, ...range }), signal)
  }

  const demo = playDemo({
    log,
    clock,
    speed,
    days: demoDays(from, to),
    runId,
    signal,
    awaitStored: learnFromHistory,
  })
  demo.done.catch((error: unknown) =>
    logger.error({ error: describeError(error) }, 'the replay ended early'),
  )
  return {
    status: () => demo.status(),
    async stop() {
      stopping.abort()
      await demo.done.catch(() => undefined)
    },
  }
}

/** Resolves when everything that is in the log now is stored. */
async function untilStored(log: Log, tail: Tail, signal: AbortSignal): Promise<void> {
  const ends = await log.endOffsets(topics.posts)
  while (!signal.aborted) {
    const stored = await tail.end()
    if (ends.every((end, partition) => (stored[partition] ?? 0) >= end)) return
    await delay(pollMs, undefined, { signal }).catch(() => undefined)
  }
}
