/**
 * Ordered start and graceful stop: what was started last is stopped first. A stop that outlasts its deadline gives up on what is left;
 * the log and the store survive that as they survive kill -9.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from './errors.ts'
import type { Logger } from './logger.ts'

export interface Lifecycle {
  /**
   * Starts a part and remembers how to stop it. A part that fails to start is not stopped: it cleans up after itself. A stop waits for
   * the part that is starting, within its deadline; the call then rejects, so that nothing more is started behind it.
   */
  start<T>(
    name: string,
    start: () => T | Promise<T>,
    stop: (part: T) => void | Promise<void>,
  ): Promise<T>
  /** Stops all parts in reverse order; a part that fails to stop does not keep the others. True when all ended in time. Idempotent. */
  stop(): Promise<boolean>
}

export function createLifecycle(options: {
  readonly logger: Logger
  readonly stopTimeoutMs: number
}): Lifecycle {
  const { logger, stopTimeoutMs } = options
  const started: { readonly name: string; stop(): void | Promise<void> }[] = []
  let starting: Promise<unknown> = Promise.resolve()
  let stopping: Promise<boolean> | undefined

  async function stopAll(): Promise<true> {
    await starting
    for (const part of started.splice(0).reverse()) {
      try {
        await part.stop()
        logger.debug({ part: part.name }, 'part stopped')
      } catch (error) {
        logger.error({ part: part.name, error: describeError(error) }, 'part failed to stop')
      }
    }
    return true
  }

  async function stopInTime(): Promise<boolean> {
    const allStopped = new AbortController()
    const deadline = delay(stopTimeoutMs, false, { signal: allStopped.signal }).catch(() => false)
    const inTime = await Promise.race([stopAll(), deadline])
    allStopped.abort()
    if (!inTime) logger.error({ stopTimeoutMs }, 'stop outlasted its deadline')
    return inTime
  }

  return {
    async start(name, start, stop) {
      if (stopping !== undefined) throw stoppedWhileStarting(name)
      const begun = (async () => {
        const part = await start()
        started.push({ name, stop: () => stop(part) })
        logger.debug({ part: name }, 'part started')
        return part
      })()
      starting = begun.catch(() => undefined)
      const part = await begun
      if (stopping !== undefined) throw stoppedWhileStarting(name)
      return part
    },
    stop() {
      stopping ??= stopInTime()
      return stopping
    },
  }
}

const stoppedWhileStarting = (name: string) => new Error(`stopped while ${name} was starting`)
