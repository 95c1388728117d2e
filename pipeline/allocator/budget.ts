/**
 * The price of a millisecond of compute. It follows what was spent by dual ascent: dearer after posts that cost more than the budget, cheaper after
 * ones that cost less, so that on a steady stream the average is the budget. Steps are of its logarithm (the exponentiated gradient of
 * Kivinen and Warmuth 1997), since prices of 0.001 and 0.1 are both possible.
 *
 * The backlog raises it further: from a quarter of a full backlog on, up to `steepness` times at a full one. Then the pipeline is overloaded and nobody but the
 * cheapest experts runs, until the backlog is down to a half. The backlog's raise leaves with the backlog, and what was spent less because of it does not make the
 * price fall: else the end of each overload would begin the next with a price of nothing.
 */
import type { Clock } from '../../infra/clock.ts'
import type { Budget } from './price.ts'

export interface BudgetOptions {
  /** Compute a post on average, milliseconds of one core; 0: nobody but the cheapest experts. */
  readonly budgetMs: number
  readonly clock: Clock
  /** Before anything was spent: an encoder of 2 ms is asked where it gains 4 points. */
  readonly firstPrice?: number
  /** Of either, a full backlog. */
  readonly fullBacklog?: { readonly posts: number; readonly oldestMs: number }
}

/** Probability of a right verdict a millisecond. Bounds keep a long time of spending nothing, or too much, from outlasting its cause. */
const bounds = { lowest: 1e-4, highest: 1 } as const
/** Posts of twice the budget that raise the price e times. */
const memoryPosts = 100
/** Of the logarithm, for one batch at twice the budget: a larger one would overshoot. */
const longestStep = 0.5
/** Of the logarithm, for one batch of whatever cost. */
const steepestRise = 1
const [raisedFrom, overloadedFrom, relievedAt] = [0.25, 1, 0.5]
const steepness = 20
/** A backlog that nobody has spoken of for so long is gone. */
const reportLifeMs = 60_000

export function createBudget({
  budgetMs,
  clock,
  firstPrice = 0.02,
  fullBacklog = { posts: 5_000, oldestMs: 10_000 },
}: BudgetOptions): Budget {
  let logPrice = Math.log(firstPrice)
  let reported = { backlog: 0, at: Number.NEGATIVE_INFINITY }
  let isOverloaded = false

  const backlog = () => (clock() - reported.at > reportLifeMs ? 0 : reported.backlog)
  const updateOverload = () => {
    isOverloaded = backlog() > (isOverloaded ? relievedAt : overloadedFrom)
    return isOverloaded
  }
  const raise = () =>
    steepness ** (Math.max(0, Math.min(1, backlog()) - raisedFrom) / (1 - raisedFrom))
  const normalPrice = () => (budgetMs === 0 ? Number.POSITIVE_INFINITY : Math.exp(logPrice))

  return {
    normalPrice,
    price: () => (updateOverload() ? Number.POSITIVE_INFINITY : normalPrice() * raise()),
    isOverloaded: updateOverload,
    spent(posts, ms) {
      if (budgetMs === 0 || posts <= 0) return
      const excess = ms / (posts * budgetMs) - 1
      if (excess < 0 && (updateOverload() || raise() > 1)) return
      const change = Math.min(steepestRise, Math.min(longestStep, posts / memoryPosts) * excess)
      logPrice = Math.min(
        Math.log(bounds.highest),
        Math.max(Math.log(bounds.lowest), logPrice + change),
      )
    },
    waiting(posts, oldestMs) {
      const backlog = Math.max(posts / fullBacklog.posts, oldestMs / fullBacklog.oldestMs)
      reported = { backlog, at: clock() }
      updateOverload()
    },
  }
}
