/**
 * What became of a letter, as a fold over the records of its origin in `posts.dead`: the same on every instance and after every restart.
 *
 * open -> (claimed) redriving -> (appended) redriven -> (dead again: a letter of more attempts) open. open, or a claim whose owner is gone -> dropped.
 * A letter of no more attempts than the last is a repeat, which a crash before its block leaves. A decision names the record that it
 * builds on: of two at once the first counts.
 */
import type { DeadLetter } from '../../ingest/contract.ts'
import { type DeadRecord, type Decision, isDecision } from './record.ts'

export const letterStates = ['open', 'redriving', 'redriven', 'dropped'] as const
export type LetterStatus = (typeof letterStates)[number]

export interface LetterState {
  readonly origin: string
  /** Offset of the record that made it so. */
  readonly head: number
  /** Offset of the newest letter, which holds the payload. */
  readonly letter: number
  readonly state: LetterStatus
  readonly class: NonNullable<DeadLetter['class']>
  readonly reason: string
  readonly attempts: number
  readonly source: string
  readonly postId: string
  readonly expert: string
  readonly payloadBytes: number
  /** Milliseconds since 1970: when the log took the refused record, its letter, and the record at `head`. */
  readonly refusedAt: number
  readonly buriedAt: number
  readonly changedAt: number
  /** Who decided last, and why. */
  readonly by: string
  readonly note: string
  /** topic/partition/offset of the post that was appended anew; '' before. */
  readonly redrivenTo: string
  readonly erased: boolean
}

export interface Placed {
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly record: DeadRecord
}

/** The state after a record; the same state where the record changes nothing. Undefined: no letter of the origin is known. */
export function foldLetter(
  state: LetterState | undefined,
  placed: Placed,
): LetterState | undefined {
  const { offset, timestamp, record } = placed
  if (state !== undefined && offset <= state.head) return state
  if (isDecision(record)) return state && decide(state, record, offset, timestamp)
  if (state !== undefined && (record.attempts ?? 1) <= state.attempts) return state
  return opened(record, offset, timestamp)
}

function opened(letter: DeadLetter, offset: number, timestamp: number): LetterState {
  return {
    origin: letter.origin,
    head: offset,
    letter: offset,
    state: 'open',
    class: letter.class ?? 'other',
    reason: letter.reason,
    attempts: letter.attempts ?? 1,
    source: letter.source ?? '',
    postId: letter.postId ?? '',
    expert: letter.expert ?? '',
    payloadBytes: letter.payloadBytes,
    refusedAt: Date.parse(letter.appendedAt),
    buriedAt: timestamp,
    changedAt: timestamp,
    by: '',
    note: '',
    redrivenTo: '',
    erased: letter.erased ?? false,
  }
}

function decide(
  state: LetterState,
  decision: Decision,
  head: number,
  changedAt: number,
): LetterState {
  if (decision.after !== state.head) return state
  const next = { ...state, head, changedAt }
  switch (decision.type) {
    case 'redriven':
      if (state.state !== 'redriving') return state
      return { ...next, state: 'redriven', redrivenTo: decision.position }
    case 'redriving':
    case 'dropped':
      if (state.state !== 'open' && state.state !== 'redriving') return state
      return { ...next, state: decision.type, by: decision.by, note: decision.note }
  }
}
