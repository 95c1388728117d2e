/** Jobs by the clock. The one file that imports node-cron. */
import { schedule as cron, validate } from 'node-cron'
import { AppError, describeError } from './errors.ts'
import type { Logger } from './logger.ts'

export interface ScheduledJob {
  /** The times of the next `count` runs, in milliseconds since 1970, without their random delay. */
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
 * while one is still going on is skipped; a rejected run is logged and the next one comes as usual. With a random delay each run begins that much later
 * at most: jobs of one expression then spread. Throws `CONFIG`.
 */
export function schedule(
  expression: string,
  timezone: string,
  job: () => Promise<void>,
  logger: Logger,
  options: { readonly maxRandomDelayMs?: number } = {},
): ScheduledJob {
  if (!isCronExpression(expression))
    throw new AppError('CONFIG', `Not a cron expression: ${JSON.stringify(expression)}`)
  let running: Promise<void> | undefined
  const run = async (): Promise<void> => {
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
    { timezone, suppressMissedWarning: true, maxRandomDelay: options.maxRandomDelayMs ?? 0 },
  )
  return {
    nextRuns: (count) => task.getNextRuns(count).map((run) => run.getTime()),
    async stop() {
      await task.destroy()
      await running
    },
  }
}
