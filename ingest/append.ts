/** Appending to the log by somebody who can wait. */
import { AppError } from '../infra/errors.ts'
import type { Log, NewRecord, Position } from '../infra/log/log.ts'
import { realSleep, type Sleep } from './replay.ts'

export const longestDelayMs = 30_000

/** A quarter of a second after the first failure, then twice as long each time. */
export function backoffMs(failures: number): number {
  return Math.min(125 * 2 ** failures, longestDelayMs)
}

/** Waits while the log is full or busy. Rejects with what waiting cannot repair, and when the signal ends the waiting. */
export async function appendPatiently(options: {
  readonly log: Pick<Log, 'append'>
  readonly topic: string
  readonly records: readonly NewRecord[]
  readonly signal?: AbortSignal | undefined
  readonly sleep?: Sleep | undefined
}): Promise<readonly Position[]> {
  const { log, topic, records, signal, sleep = realSleep } = options
  for (let failures = 1; ; failures++) {
    try {
      return await log.append(topic, records)
    } catch (error) {
      if (!(error instanceof AppError && error.retryable)) throw error
      await sleep(backoffMs(failures), signal)
    }
  }
}
