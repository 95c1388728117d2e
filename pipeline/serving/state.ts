/**
 * Who votes, as a fold over the records of `control`: the same on every instance and after every restart.
 *
 * A change names the record that it builds on (`after`). Of two operators who change the same state at once the first record counts and the
 * other is void, for every reader alike. A promotion can be taken back: rollbacks undo promotions from the newest on.
 */
import { Value } from 'typebox/value'
import { type ExpertSet, RescoringRecord, type ServedRange, ServingRecord } from '../contract.ts'

export interface Served {
  readonly set: ExpertSet
  readonly coverage: readonly ServedRange[]
}

export interface Promotion {
  readonly record: ServingRecord
  /** What was in force before it: undefined where nothing was recorded yet. */
  readonly before: Served | undefined
}

export interface ServingState {
  /** Offset of the record in force; -1 for none. */
  readonly head: number
  readonly now: Served | undefined
  /** Those that are not taken back, oldest first. */
  readonly promotions: readonly Promotion[]
  /** A re-scoring that has led to nothing yet. */
  readonly rescoring: { readonly revision: number; readonly record: RescoringRecord } | undefined
}

export const initialServing: ServingState = {
  head: -1,
  now: undefined,
  promotions: [],
  rescoring: undefined,
}

export type ServingControl = RescoringRecord | ServingRecord

/** `undefined` for records of other parts, and for what is no record at all. */
export function parseServing(value: Uint8Array): ServingControl | undefined {
  try {
    const record: unknown = JSON.parse(Buffer.from(value).toString('utf8'))
    if (Value.Check(ServingRecord, record) || Value.Check(RescoringRecord, record)) return record
  } catch {}
  return undefined
}

/** The state after a record; the same state where the record is void. */
export function foldServing(
  state: ServingState,
  offset: number,
  record: ServingControl,
): ServingState {
  if (record.after !== state.head) return state
  if (record.type === 'serving.rescoring')
    return { ...state, rescoring: { revision: offset + 1, record } }
  const { set, coverage } = record
  return {
    head: offset,
    now: { set, coverage },
    promotions:
      record.action === 'promote'
        ? [...state.promotions, { record, before: state.now }]
        : state.promotions.slice(0, -1),
    rescoring: undefined,
  }
}
