/** Step 4 of the writer protocol: what follows from an insert's outcome and the mark read after it. Pure. */
import type { InsertOutcome } from '../../infra/store/store.ts'

export interface Situation {
  readonly block: { readonly mark: number; readonly last: number }
  readonly outcome: InsertOutcome['kind']
  /** The mark as read after the outcome. */
  readonly markAfter: number
  /** How often it was read since the outcome, this time included. */
  readonly reads: number
  readonly attempt: number
  readonly replicated: boolean
}

export type Step =
  /** All offsets up to `mark` are stored, by whomever: go on from there. */
  | { readonly kind: 'go-on'; readonly mark: number }
  /** Insert the block once more with the token of `attempt`. */
  | { readonly kind: 'insert'; readonly attempt: number }
  /** Read the mark again, and insert nothing meanwhile. */
  | { readonly kind: 'wait' }
  /** The table holds less than it did. */
  | { readonly kind: 'lost' }

/**
 * An insert of the same token by somebody else shows its token before its rows: three readings tell it from a poisoned one, whose
 * rows never come.
 */
export const readsUntilPoisoned = 3

export function nextStep(now: Situation): Step {
  const { block, outcome, markAfter, reads, attempt, replicated } = now
  if (markAfter > block.mark) return { kind: 'go-on', mark: markAfter }
  // Another replica may show less than the one that answered before.
  if (replicated && (markAfter < block.mark || outcome !== 'unknown')) return { kind: 'wait' }
  if (markAfter < block.mark) return { kind: 'lost' }
  if (outcome !== 'acknowledged') return { kind: 'insert', attempt }
  if (reads < readsUntilPoisoned) return { kind: 'wait' }
  return { kind: 'insert', attempt: attempt + 1 }
}
