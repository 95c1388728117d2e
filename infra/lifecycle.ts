/**
 * Ordered start and graceful stop. Parts start in the order given and stop in the reverse order; a part that fails to start is
 * stopped with those before it. A stop that outlasts its deadline gives up on what is left: the log and the store survive that as they survive kill -9.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from './errors.ts'
import type { Logger } from './logger.ts'

export interface Part {
  readonly name: string
  start(): Promise<void>
  /** Idempotent. */
  stop(): Promise<void>
}

export interface Lifecycle {
  start(): Promise<void>
  /** Resolves true when every part stopped in time. Idempotent: later calls wait for the first. */
  stop(): Promise<boolean>
}

export function createLifecycle(options: {
  readonly parts: readonly Part[]
  readonly logger: Logger
  readonly stopTimeoutMs: number
}): Lifecycle {
  const { parts, logger, stopTimeoutMs } = options
  const started: Part[] = []
  let stopping: Promise<boolean> | undefined

  async function stopStarted(): Promise<void> {
    for (const part of started.splice(0).reverse()) {
      try {
        await part.stop()
        logger.debug({ part: part.name }, 'part stopped')
      } catch (error) {
        logger.error({ part: part.name, error: describeError(error) }, 'part failed to stop')
      }
    }
  }

  async function stopInTime(): Promise<boolean> {
    const giveUp = new AbortController()
    const deadline = delay(stopTimeoutMs, false, { signal: giveUp.signal }).catch(() => false)
    const inTime = await Promise.race([stopStarted().then(() => true), deadline])
    giveUp.abort()
    if (!inTime) logger.error({ stopTimeoutMs }, 'stop outlasted its deadline')
    return inTime
  }

  return {
    async start() {
      for (const part of parts) {
        if (stopping !== undefined) return
        started.push(part)
        try {
          await part.start()
        } catch (error) {
          await stopStarted()
          throw error
        }
        logger.debug({ part: part.name }, 'part started')
      }
    },
    stop() {
      stopping ??= stopInTime()
      return stopping
    },
  }
}
