/** The experts' distributions become one, by one of three methods. What each does and means stands in its file. */
import type { FusionMethod } from '../contract.ts'
import { average, type Opinion } from './average.ts'
import { type Stacking, type StackingContext, stacked } from './stacking.ts'
import { vote } from './vote.ts'

export interface FusionContext extends StackingContext {
  /** Without it: nothing was fitted. */
  readonly stacking?: Stacking | undefined
}

export interface Fusion {
  /** What was done: `average` where stacking was asked for and has no parameters for these experts. */
  readonly method: FusionMethod
  /** Before calibration, which has a temperature for each method. Empty without opinions. */
  readonly probabilities: number[]
}

/** The order of the opinions does not matter, and one of weight 0 counts for nothing, unless all are: then they count the same. */
export function fuse(
  method: FusionMethod,
  opinions: readonly Opinion[],
  context: FusionContext,
): Fusion {
  const counted = opinions.some(({ weight }) => weight > 0)
    ? opinions.filter(({ weight }) => weight > 0)
    : opinions
  if (method === 'vote') return { method, probabilities: vote(counted) }
  if (method === 'stacking') {
    const experts = counted.map(({ expert }) => expert)
    const model = context.stacking?.modelOf(context, experts)
    if (model !== undefined) return { method, probabilities: stacked(counted, model) }
  }
  return { method: 'average', probabilities: average(counted) }
}
