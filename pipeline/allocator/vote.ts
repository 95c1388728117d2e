/**
 * Weighted majority vote: the weight of each expert goes to its likeliest label, however sure it is; the likeliest ones of an undecided expert share it.
 * The result is a distribution: the share of the votes that a label got, with 0.01 of a vote for every label, so that none is impossible and a
 * temperature has something to work on. So the confidence says how much of the weight agrees, and nothing of how sure anybody is; only the
 * temperature after it, fitted on labels, makes a probability of it.
 */
import { average, type Opinion, renormalised } from './average.ts'

const votesOfEveryLabel = 0.01
const castingVote = 0.01
/** Weights are rounded to 32 bits: sums that should be equal differ by less. */
const equalWithin = 1e-6

/** A distribution; empty without opinions. Where labels tie for the most votes, the one that the average finds likeliest gets a casting vote. */
export function vote(opinions: readonly Omit<Opinion, 'expert'>[]): number[] {
  const shares = renormalised(opinions.map(({ weight }) => weight))
  const votes = average(opinions).map(() => votesOfEveryLabel)
  opinions.forEach(({ probabilities }, i) => {
    const chosen = likeliest(probabilities)
    for (const label of chosen) add(votes, label, (shares[i] ?? 0) / chosen.length)
  })
  const tied = likeliest(votes, equalWithin)
  if (tied.length > 1) add(votes, likeliestOf(tied, average(opinions)), castingVote)
  return renormalised(votes)
}

/** All labels of the largest value. */
function likeliest(values: readonly number[], within = 0): number[] {
  const most = Math.max(...values)
  return [...values.keys()].filter((label) => (values[label] ?? 0) >= most - within)
}

/** The first of equals. */
function likeliestOf(labels: readonly number[], values: readonly number[]): number {
  return labels.reduce((best, label) => ((values[label] ?? 0) > (values[best] ?? 0) ? label : best))
}

function add(votes: number[], label: number, vote: number): void {
  votes[label] = (votes[label] ?? 0) + vote
}
