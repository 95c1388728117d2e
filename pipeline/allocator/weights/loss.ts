/** Losses of experts on a label, in [0, 1]. */
import type { Losses, Weights } from './hedge.ts'

/** What an expert says, as a distribution over the task's labels; undefined when it sleeps. */
export type Voice = readonly number[] | undefined

/** Half the Brier score: half the squared distance to the truth. */
export function halfBrier(probabilities: readonly number[], label: number): number {
  return probabilities.reduce((sum, p, k) => sum + (p - truth(k, label)) ** 2, 0) / 2
}

/**
 * The gradient of the mixture's half Brier score by each expert's weight, moved from [-1, 1] to [0, 1]. The score is convex in the weights, so the mixture
 * loses to the best fixed mixture of all, not only to the best expert, at most twice what Hedge on these losses loses to the best expert (Kivinen and Warmuth 1997).
 */
export function mixtureLosses(weights: Weights, voices: readonly Voice[], label: number): Losses {
  const mixture = mixtureOf(weights, voices)
  return voices.map((voice) =>
    voice === undefined
      ? undefined
      : (1 + voice.reduce((sum, p, k) => sum + p * ((mixture[k] ?? 0) - truth(k, label)), 0)) / 2,
  )
}

/** The average of those awake by their weights; even where all of these are 0. */
export function mixtureOf(weights: Weights, voices: readonly Voice[]): number[] {
  const awake = voices.flatMap((voice, i) =>
    voice === undefined ? [] : [{ voice, weight: weights[i] ?? 0 }],
  )
  const mass = awake.reduce((sum, { weight }) => sum + weight, 0)
  const length = awake[0]?.voice.length ?? 0
  return Array.from({ length }, (_, k) =>
    awake.reduce(
      (sum, { voice, weight }) =>
        sum + (mass > 0 ? weight / mass : 1 / awake.length) * (voice[k] ?? 0),
      0,
    ),
  )
}

function truth(k: number, label: number): number {
  return k === label ? 1 : 0
}
