/**
 * States of one rule on one series, stepped once a closed bucket.
 *
 *   normal ----warm----> pending ----hot, broad----> firing ----calm----> recovering --calm for a window--> resolved
 *     ^  \____________hot, broad_____________________^  ^______hot, broad______/                               |
 *     |______calm_______/ (from pending)                                                                       |
 *     |________________________________________next bucket_____________________________________________________|
 *
 * hot: the p-value is below the rule's threshold. warm: within `warmFactor` of it, or hot without breadth. calm: neither.
 * Breadth is the minimum of negative posts, distinct texts and authors: a single loud voice is no spike.
 * Between hot and calm a firing alert stays as it is, so that it does not flap around the threshold.
 * `firing`, `recovering` and `resolved` are told (`emit`); `normal` and `pending` are not.
 */
import type { AlertState, SeriesState } from './contract.ts'

export interface RuleState {
  readonly state: SeriesState
  /** When the alert of this state first fired; 0 without one. */
  readonly startedAt: number
  /** Closed buckets without warmth in `recovering`. */
  readonly calmBuckets: number
}

export interface Evidence {
  readonly pValue: number
  readonly threshold: number
  readonly broad: boolean
}

export interface Transition {
  readonly next: RuleState
  readonly emit: AlertState | null
  readonly reason: string
}

export interface StateOptions {
  /** Buckets of calm before a recovering alert is resolved. */
  readonly calmBuckets: number
}

export const initialState: RuleState = { state: 'normal', startedAt: 0, calmBuckets: 0 }

const warmFactor = 100

/** `now` is the end of the bucket, in milliseconds. */
export function transition(
  previous: RuleState,
  evidence: Evidence,
  now: number,
  options: StateOptions,
): Transition {
  const isHot = evidence.pValue < evidence.threshold
  const isCalm = evidence.pValue >= evidence.threshold * warmFactor
  const fires = isHot && evidence.broad

  switch (previous.state) {
    case 'normal':
    case 'pending':
    case 'resolved':
      if (fires)
        return {
          next: { state: 'firing', startedAt: now, calmBuckets: 0 },
          emit: 'firing',
          reason: 'negative volume is far above its baseline',
        }
      return isCalm
        ? quietly(initialState, 'nothing unusual')
        : quietly(
            { state: 'pending', startedAt: 0, calmBuckets: 0 },
            isHot ? 'unusual, but from too few voices' : 'close to the threshold',
          )
    case 'firing':
      if (!isCalm) return quietly(previous, 'still unusual')
      return {
        next: { ...previous, state: 'recovering', calmBuckets: 1 },
        emit: 'recovering',
        reason: 'negative volume is back near its baseline',
      }
    case 'recovering':
      if (fires)
        return {
          next: { ...previous, state: 'firing', calmBuckets: 0 },
          emit: 'firing',
          reason: 'negative volume rose again',
        }
      if (!isCalm) return quietly({ ...previous, calmBuckets: 0 }, 'close to the threshold')
      if (previous.calmBuckets + 1 < options.calmBuckets)
        return quietly({ ...previous, calmBuckets: previous.calmBuckets + 1 }, 'recovering')
      return {
        next: { ...previous, state: 'resolved', calmBuckets: 0 },
        emit: 'resolved',
        reason: 'a whole window without anything unusual',
      }
  }
}

const quietly = (next: RuleState, reason: string): Transition => ({ next, emit: null, reason })

/** Whether the state must be looked at in every bucket, even an empty one. */
export const isOpen = ({ state }: RuleState): boolean =>
  state === 'pending' || state === 'firing' || state === 'recovering'
