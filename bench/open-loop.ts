/** Load that does not wait for answers: requests arrive when a Poisson process says, however slow the server is. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Times in ms from 0 up to `durationMs`, `perSecond` on average: gaps are exponential. */
export function poissonArrivals(
  perSecond: number,
  durationMs: number,
  random: () => number,
): number[] {
  const arrivals: number[] = []
  const gapMs = () => (-Math.log(1 - random()) / perSecond) * 1_000
  for (let at = gapMs(); at < durationMs; at += gapMs()) arrivals.push(at)
  return arrivals
}

/**
 * Sends a request at each arrival; returns the latency of each in ms, counted from when it was due, so that a sender who is late hides nothing.
 * A request that fails ends the run.
 */
export async function openLoop(
  arrivals: readonly number[],
  send: (request: number) => Promise<unknown>,
): Promise<number[]> {
  const began = performance.now()
  const requests: Promise<number>[] = []
  for (const [request, due] of arrivals.entries()) {
    const early = began + due - performance.now()
    if (early > 0) await sleep(early)
    requests.push(send(request).then(() => performance.now() - began - due))
  }
  return Promise.all(requests)
}

/** Nearest rank: the smallest value that at least `share` of the values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
