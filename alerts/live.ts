/** Which rows may enter a live series, and which teach as history. */
import { fromStoreTime } from '../infra/store/store-time.ts'
import type { MentionRow } from './window.ts'

const isMention = (row: MentionRow): boolean =>
  row.outcome === 'scored' && row.ordinal >= 1 && !row.instrument.startsWith('unresolved:')

/**
 * A correction tells the same story again, so only version 1 counts; a withdrawal takes back, so it never does. Stale
 * posts arrive too late to be a spike of now.
 */
export function isLive(row: MentionRow, freshnessMs: number): boolean {
  if (!isMention(row) || row.history || row.version !== 1 || row.status === 'withdrawn')
    return false
  return fromStoreTime(row.appended_at) - fromStoreTime(row.published_at) <= freshnessMs
}

export const isHistory = (row: MentionRow): boolean =>
  isMention(row) && row.history && row.version === 1 && row.status !== 'withdrawn'
