/**
 * Hedge (Freund and Schapire 1997) with fixed share (Herbster and Warmuth 1998), over experts that may sleep (Freund, Schapire, Singer and Warmuth 1997):
 * w_i <- (1 - g) w_i exp(-eta loss_i) / Z + g / N among those awake. Against the best sequence of experts that switches k times in T rounds, its regret is
 * at most ((k + 1) ln N + k ln(1 / g) + (T - k - 1) ln(1 / (1 - g))) / eta + eta T / 8 (Cesa-Bianchi and Lugosi 2006, theorem 5.2).
 */

export interface HedgeRates {
  /** Learning rate. */
  readonly eta: number
  /** What is dealt out evenly after each round: how soon an expert that was bad is believed again. */
  readonly share: number
}

/** A weight an expert; they sum to 1. */
export type Weights = readonly number[]

/** Losses in [0, 1], in the order of the weights; undefined for an expert that sleeps. */
export type Losses = readonly (number | undefined)[]

/** The weights after one round. Those awake divide what they had together; who sleeps keeps its own. */
export function hedge(weights: Weights, losses: Losses, { eta, share }: HedgeRates): Weights {
  const pay = (weight: number, i: number): number => weight * Math.exp(-eta * (losses[i] ?? 0))
  let awake = 0
  let mass = 0
  let paid = 0
  weights.forEach((weight, i) => {
    if (losses[i] === undefined) return
    awake += 1
    mass += weight
    paid += pay(weight, i)
  })
  // Nothing to divide: experts of weight 0 alone are awake.
  if (paid === 0) return weights
  return weights.map((weight, i) =>
    losses[i] === undefined
      ? weight
      : mass * (((1 - share) * pay(weight, i)) / paid + share / awake),
  )
}
