/** What the configuration of a source says of every post of it. */
import type { SourceConfig } from '../../infra/config-sources.ts'
import type { SourceLabel } from './item.ts'
import type { SourceState } from './state.ts'
import type { ReadingTime } from './timing.ts'

const minuteMs = 60_000

export function labelOf({ name, source, kind, language }: SourceConfig): SourceLabel {
  return { name, source: source ?? name, kind, language }
}

/** Of a reading whose last one `state` tells. */
export function readingTime(
  { freshMinutes, undated }: SourceConfig,
  reading: { readonly nowMs: number; readonly state: SourceState; readonly outageMs: number },
): ReadingTime {
  const { nowMs, state, outageMs } = reading
  const { lastSuccessMs } = state
  return {
    nowMs,
    undated,
    freshMs: freshMinutes * minuteMs,
    catchingUp: lastSuccessMs === undefined || nowMs - lastSuccessMs > outageMs,
  }
}
