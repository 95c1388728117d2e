/** Hedge against adversaries: what it loses, and what is proven about that. */
import { seededRandom } from '../../../infra/seeded-random.ts'
import { type HedgeRates, hedge, type Weights } from './hedge.ts'

/** Sees the weights before it chooses the losses of a round. */
export type Adversary = (weights: Weights, round: number) => readonly number[]

export interface Game {
  readonly experts: number
  readonly rounds: number
  readonly rates: HedgeRates
  readonly adversary: Adversary
  /** Rounds from a round to its label: 0 is before the next one. */
  delay(round: number): number
}

export interface Played {
  readonly losses: readonly (readonly number[])[]
  readonly learner: number
  /** Updates between the weights used in a round and the update by its own label, summed over all rounds. */
  readonly overtaken: number
}

/** A game of a seed: 2 to 6 experts, and one of four adversaries. */
export function seededGame(seed: number, maxDelay = 0): Game {
  const random = seededRandom(seed)
  const experts = 2 + Math.floor(random() * 5)
  const rounds = 100 + Math.floor(random() * 300)
  const rates = { eta: 0.05 + random(), share: 0.05 * random() ** 2 }
  const stretch = 20 + Math.floor(random() * 100)
  const adversaries: readonly Adversary[] = [
    // Whoever is believed most is wrong.
    (weights) => weights.map((weight) => (weight === Math.max(...weights) ? 1 : 0)),
    // One is right for a while, then another.
    (weights, round) =>
      weights.map((_, i) => (i === Math.floor(round / stretch) % experts ? 0 : 1)),
    (weights, round) =>
      weights.map((_, i) =>
        i === Math.floor(round / stretch) % experts ? 0.4 * random() : 0.2 + 0.8 * random(),
      ),
    (weights) => weights.map(() => (random() < 0.5 ? 0 : 1)),
  ]
  const adversary = adversaries[seed % adversaries.length] ?? (() => [])
  return { experts, rounds, rates, adversary, delay: () => Math.floor(random() * (maxDelay + 1)) }
}

export function play(game: Game, learn: typeof hedge = hedge): Played {
  const { experts, rounds, rates } = game
  const due = new Map<number, number[]>()
  const losses: (readonly number[])[] = []
  const updatesBefore: number[] = []
  let weights: Weights = Array.from({ length: experts }, () => 1 / experts)
  let [updates, overtaken, learner] = [0, 0, 0]
  const lastLabel = 2 * rounds
  for (let round = 0; round < lastLabel; round++) {
    if (round < rounds) {
      const loss = game.adversary(weights, round)
      losses.push(loss)
      learner += loss.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0)
      updatesBefore.push(updates)
      const at = round + game.delay(round)
      due.set(at, [...(due.get(at) ?? []), round])
    }
    for (const labelled of due.get(round) ?? []) {
      overtaken += updates - (updatesBefore[labelled] ?? 0)
      weights = learn(weights, losses[labelled] ?? [], rates)
      updates += 1
    }
  }
  return { losses, learner, overtaken }
}

/** Least loss of a sequence of experts that switches at most k times, for k = 0 to `switches`: dynamic programming. */
export function bestSwitching(losses: Played['losses'], switches: number): number[] {
  const experts = losses[0]?.length ?? 0
  // Least loss so far of a sequence that ends in an expert, by switches.
  const ends = Array.from({ length: switches + 1 }, () => new Float64Array(experts))
  for (const loss of losses)
    for (let k = switches; k >= 0; k--) {
      const own = ends[k] ?? new Float64Array()
      const switched = k === 0 ? Number.POSITIVE_INFINITY : Math.min(...(ends[k - 1] ?? []))
      for (let i = 0; i < experts; i++) own[i] = Math.min(own[i] ?? 0, switched) + (loss[i] ?? 0)
    }
  return ends.map((totals) => Math.min(...totals))
}

/** Cesa-Bianchi and Lugosi (2006), theorem 5.2; with k = 0 and g = 0 it is Hedge's: ln N / eta + eta T / 8. */
export function regretBound({ experts, rounds, rates }: Game, switches: number): number {
  const { eta, share } = rates
  const switched = switches === 0 ? 0 : switches * Math.log(1 / share)
  const stayed = (rounds - switches - 1) * Math.log(1 / (1 - share))
  return ((switches + 1) * Math.log(experts) + switched + stayed) / eta + (eta * rounds) / 8
}

/**
 * What late labels add to the regret against one expert: one update takes at most 1 - (1 - g) exp(-eta) of a weight, so each one by which a round was overtaken costs
 * no more. This is the drift of the prediction of Joulani, Gyorgy and Szepesvari (2016); the reduction of Weinberger and Ordentlich (2002), and of Joulani et al.
 * (2013), runs a copy of the learner for each label that is open, which this one does not.
 */
export function delayCost({ rates }: Game, { overtaken }: Played): number {
  return overtaken * (1 - (1 - rates.share) * Math.exp(-rates.eta))
}
