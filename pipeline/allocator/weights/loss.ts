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
  let [mass, awake] = [0, 0]
  voices.forEach((voice, i) => {
    if (voice === undefined) return
    mass += weights[i] ?? 0
    awake += 1
  })
  const mixture: number[] = []
  voices.forEach((voice, i) => {
    const part = mass > 0 ? (weights[i] ?? 0) / mass : 1 / awake
    voice?.forEach((p, k) => {
      mixture[k] = (mixture[k] ?? 0) + part * p
    })
  })
  return mixture
}

function truth(k: number, label: number): number {
  return k === label ? 1 : 0
}
