/**
 * When a source that brings nothing new has gone silent: after the time that its owner configured, or one and a half times the longest pause
 * of the last days. A week must be known first, as most sources rest at weekends.
 */
import type { SourceState } from './state.ts'

export type Vigil = Pick<SourceState, 'lastItemMs' | 'pauses'>

const dayMs = 86_400_000
const keptDays = 15
const neededDays = 7
const shortestMs = 3_600_000

/** Something new came. */
export function noteItems({ lastItemMs, pauses = [] }: Vigil, nowMs: number): Vigil {
  const pauseMs = lastItemMs === undefined ? 0 : Math.max(0, nowMs - lastItemMs)
  const today = Math.floor(nowMs / dayMs)
  const last = pauses.at(-1)
  const longestToday = last?.[0] === today ? Math.max(last[1], pauseMs) : pauseMs
  const before = pauses.filter(([day]) => day < today && day > today - keptDays)
  return { lastItemMs: nowMs, pauses: [...before, [today, longestToday]] }
}

/** Undefined: not known yet, or never. */
export function silentAfterMs(
  { pauses = [] }: Vigil,
  configuredMinutes: number | undefined,
): number | undefined {
  if (configuredMinutes !== undefined)
    return configuredMinutes === 0 ? undefined : configuredMinutes * 60_000
  const [first, last] = [pauses[0]?.[0], pauses.at(-1)?.[0]]
  if (first === undefined || last === undefined || last - first < neededDays) return undefined
  const longest = pauses.reduce((most, [, ms]) => Math.max(most, ms), 0)
  return Math.max(shortestMs, 1.5 * longest)
}
