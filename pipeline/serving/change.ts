/** Who would vote after a promotion, or what forbids it. Pure. */
import { AppError } from '../../infra/errors.ts'
import type { ExpertSet } from '../contract.ts'

/** Labels of the random share that a promotion takes: a difference of 7 points in accuracy shows from about there on. */
export const labelsWanted = 200

export interface Candidate {
  readonly expert: string
  /** '' to vote beside the others. */
  readonly replaces: string
}

/** Throws `PROMOTION`. `isLoaded` and `hasWeight` know experts by name. */
export function setWith(
  now: ExpertSet,
  { expert, replaces }: Candidate,
  known: { isLoaded(name: string): boolean; hasWeight(name: string): boolean },
): ExpertSet {
  const refuse = (why: string): never => {
    throw new AppError('PROMOTION', why)
  }
  if (!known.isLoaded(expert))
    refuse(`No expert ${expert} is loaded: name it in pipeline.shadow.expert, and start again`)
  if (now.experts.includes(expert)) refuse(`${expert} votes already`)
  const { [replaces]: taken = replaces, ...standsFor } = now.standsFor
  if (replaces === '') {
    if (!known.hasWeight(expert))
      refuse(`${expert} has no weight of its own: name the expert that it replaces`)
    return { experts: [...now.experts, expert], standsFor: { ...standsFor } }
  }
  if (!now.experts.includes(replaces))
    refuse(`${replaces} does not vote: there is nothing of it to replace`)
  return {
    experts: now.experts.map((name) => (name === replaces ? expert : name)),
    standsFor: taken === expert ? standsFor : { ...standsFor, [expert]: taken },
  }
}

/** Throws `PROMOTION` when there are too few labels and nobody insists. */
export function checkLabels(expert: string, labels: number, force: boolean): void {
  if (labels >= labelsWanted || force) return
  throw new AppError(
    'PROMOTION',
    `There are ${labels} labels of the random share that hold what ${expert} says, and a promotion takes ${labelsWanted}: label more, or force it`,
  )
}
