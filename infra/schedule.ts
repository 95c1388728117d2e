/** Jobs by the clock. The one file that imports node-cron. */
import { setTimeout as delay } from 'node:timers/promises'
import { schedule as cron, validate } from 'node-cron'
import { AppError, describeError } from './errors.ts'
import type { Logger } from './logger.ts'

export interface ScheduledJob {
  /** The times of the next `count` runs, in milliseconds since 1970, without their delay. */
  nextRuns(count: number): number[]
  /** No run starts any more; resolves when the one in hand is done. Idempotent. */
  stop(): Promise<void>
}

/** Five fields, or six with seconds. */
export function isCronExpression(text: string): boolean {
  return validate(text)
}

/**
 * Runs `job` at the times of a cron expression (five fields, or six with seconds) in an IANA time zone. A run that is due
 * while one is still going on is skipped; a rejected run is logged and the next one comes as usual. `delayMs` is asked at each time how
 * much later the run begins: jobs of one expression then spread. Throws `CONFIG`.
 */
export function schedule(
  expression: string,
  timezone: string,
  job: () => Promise<void>,
  logger: Logger,
  options: { readonly delayMs?: () => number } = {},
): ScheduledJob {
  if (!isCronExpression(expression))
    throw new AppError('CONFIG', `Not a cron expression: ${JSON.stringify(expression)}`)
  let running: Promise<void> | undefined
  const stopping = new AbortController()
  const { signal } = stopping
  const run = async (): Promise<void> => {
    const waitMs = options.delayMs?.() ?? 0
    if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    try {
      await job()
    } catch (error) {
      logger.error({ expression, error: describeError(error) }, 'scheduled job failed')
    }
  }
  const task = cron(
    expression,
    () => {
      if (running !== undefined) {
        logger.warn({ expression }, 'scheduled job skipped: the last run goes on')
        return
      }
      running = run().finally(() => {
        running = undefined
      })
    },
    { timezone, suppressMissedWarning: true },
  )
  return {
    nextRuns: (count) => task.getNextRuns(count).map((run) => run.getTime()),
    async stop() {
      stopping.abort()
      await task.destroy()
      await running
    },
  }
}
