/**
 * Drift of an error rate: CUSUM (Page 1954) of the log-likelihood ratio between the rate so far and one that is higher by `drop`. The rate so far is learned
 * from the stream: from all that came before the sum last stood at 0, so that a drift does not become its own reference.
 */

export interface DriftRates {
  /** Rise of the error rate that it is made to find. */
  readonly drop: number
  /** Of the sum, in nats, at which it alarms. */
  readonly threshold: number
  /** Verdicts that teach the reference before it judges. */
  readonly warmUp: number
  /** Standard errors that are added to the learned rate, which is as often too low as too high: one too low alarms. */
  readonly caution: number
}

export interface DriftState {
  /** Verdicts and errors of the reference. */
  readonly verdicts: number
  readonly errors: number
  readonly sum: number
  /** Verdicts and errors since the sum last stood at 0. */
  readonly recentVerdicts: number
  readonly recentErrors: number
}

export interface Drift {
  /** Error rates, before and since. */
  readonly before: number
  readonly since: number
  /** Verdicts since it began, as far as can be told. */
  readonly verdicts: number
}

export const noVerdicts: DriftState = {
  verdicts: 0,
  errors: 0,
  sum: 0,
  recentVerdicts: 0,
  recentErrors: 0,
}

/** The state after one more verdict, and the drift if it alarms: then it starts anew, and learns the rate that now holds. */
export function watchDrift(
  state: DriftState,
  isError: boolean,
  rates: DriftRates,
): { readonly state: DriftState; readonly drift?: Drift } {
  const error = isError ? 1 : 0
  if (state.verdicts < rates.warmUp)
    return {
      state: { ...noVerdicts, verdicts: state.verdicts + 1, errors: state.errors + error },
    }
  const sum = state.sum + evidence(state, isError, rates)
  const recentVerdicts = state.recentVerdicts + 1
  const recentErrors = state.recentErrors + error
  if (sum <= 0)
    return {
      state: {
        ...noVerdicts,
        verdicts: state.verdicts + recentVerdicts,
        errors: state.errors + recentErrors,
      },
    }
  if (sum <= rates.threshold) return { state: { ...state, sum, recentVerdicts, recentErrors } }
  const drift = {
    before: state.errors / state.verdicts,
    since: recentErrors / recentVerdicts,
    verdicts: recentVerdicts,
  }
  return { state: noVerdicts, drift }
}

const leastRate = 0.02

/** Log-likelihood ratio of one verdict; 0 where the rate cannot rise. */
function evidence(
  { verdicts, errors }: DriftState,
  isError: boolean,
  { drop, caution }: DriftRates,
): number {
  const learned = (errors + 1) / (verdicts + 2)
  const careful = learned + caution * Math.sqrt((learned * (1 - learned)) / verdicts)
  const rate = Math.max(leastRate, careful)
  const risen = Math.min(1 - leastRate, rate + drop)
  if (risen <= rate) return 0
  return isError ? Math.log(risen / rate) : Math.log((1 - risen) / (1 - rate))
}
