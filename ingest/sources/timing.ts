/**
 * When an item counts as published, and whether it may be live. An old item must never be alerted as new: it carries its own date, and what
 * has none, or only a day, is history unless the owner says otherwise. After a pause (the first reading, an outage) many items come at once,
 * so only the freshest are live; in regular reading the alert engine's own rule of freshness decides.
 */
import { maxFutureMs } from '../contract.ts'
import type { ItemDate } from './dates.ts'

export interface ReadingTime {
  readonly nowMs: number
  /** The reading before this one is too long ago, or there was none. */
  readonly catchingUp: boolean
  readonly freshMs: number
  readonly undated: 'history' | 'firstSeen'
}

export interface PublishedTime {
  readonly publishedMs: number
  readonly history: boolean
}

export function publishedTime(date: ItemDate | undefined, reading: ReadingTime): PublishedTime {
  const { nowMs, catchingUp, freshMs, undated } = reading
  // A date from the future is a wrong zone or a mistake: nothing is known of when.
  if (date === undefined || date.ms > nowMs + maxFutureMs)
    return { publishedMs: nowMs, history: undated === 'history' || catchingUp }
  if (!date.exact) return { publishedMs: Math.min(date.ms, nowMs), history: true }
  return { publishedMs: date.ms, history: catchingUp && nowMs - date.ms > freshMs }
}
