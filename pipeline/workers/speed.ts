/** How fast sessions are, measured in turns so that what else the machine does slows all of them. */
import { performance } from 'node:perf_hooks'
import type { Session } from './session.ts'

const rounds = 3
/** A software GPU takes seconds a batch: after this long no further round begins. */
const patienceMs = 2_000

export interface FullBatch {
  readonly windows: readonly Int32Array[]
  readonly length: number
}

/** The windows again and again, as many as a batch holds. */
export function fillBatch(windows: readonly Int32Array[], maxTokens: number): FullBatch {
  const length = Math.max(...windows.map((window) => window.length))
  const count = Math.max(1, Math.floor(maxTokens / length))
  return {
    windows: Array.from(
      { length: count },
      (_, i) => windows[i % windows.length] ?? new Int32Array(),
    ),
    length,
  }
}

/** Of each session its best round, after one that warms it up. */
export async function windowsPerSecond<Name extends string>(
  sessions: Readonly<Record<Name, Session>>,
  { windows, length }: FullBatch,
): Promise<Record<Name, number>> {
  const names = Object.keys(sessions) as Name[]
  const best = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>
  for (const name of names) await sessions[name].run(windows, length)
  const begun = performance.now()
  for (let round = 0; round < rounds; round++) {
    if (performance.now() - begun > patienceMs) break
    for (const name of names) {
      const before = performance.now()
      await sessions[name].run(windows, length)
      const seconds = (performance.now() - before) / 1_000
      best[name] = Math.max(best[name], windows.length / seconds)
    }
  }
  return best
}
