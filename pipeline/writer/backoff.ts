import { setTimeout as sleep } from 'node:timers/promises'

/** How long to wait before the n-th repeat (from 1), in milliseconds. */
export type Backoff = (repeat: number) => number

/** Waits so many milliseconds, or rejects when the signal is aborted. */
export type Wait = (ms: number, signal: AbortSignal | undefined) => Promise<void>

export const timedWait: Wait = (ms, signal) =>
  sleep(ms, undefined, signal === undefined ? {} : { signal })

/** Doubles from 20 ms up to 5 s; the upper half of each wait is random, so that writers that failed together part. */
export function jitteredBackoff(random: () => number): Backoff {
  return (repeat) => {
    const full = Math.min(5_000, 20 * 2 ** (repeat - 1))
    return full / 2 + (full / 2) * random()
  }
}
