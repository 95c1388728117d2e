/**
 * A promoted expert stands for the one it replaced: weights and calibration know it by the other's name. A plan is made under the known names and
 * read under the real ones, so that neither allocators nor weights need to hear of promotions.
 */
import type { Allocator, Heard, Plan } from '../allocator/allocator.ts'
import type { Calibration } from '../allocator/calibration.ts'
import type { StaticWeights } from '../allocator/static.ts'
import type { ExpertSet } from '../contract.ts'

/** The names under which weights know the experts that vote. */
export const knownNames = (set: ExpertSet): string[] => set.experts.map(knownNameIn(set))

const knownNameIn =
  ({ standsFor }: ExpertSet) =>
  (expert: string): string =>
    standsFor[expert] ?? expert

/** `allocator` plans for `knownNames(set)`. */
export function standIn(allocator: Allocator, set: ExpertSet): Allocator {
  if (Object.keys(set.standsFor).length === 0) return allocator
  const known = knownNameIn(set)
  const byKnown = new Map(set.experts.map((expert) => [known(expert), expert]))
  const real = (names: readonly string[]) => names.map((name) => byKnown.get(name) ?? name)
  const underKnown = (heard: Heard): Heard =>
    new Map([...heard].map(([expert, output]) => [known(expert), output]))
  return {
    plan(context) {
      const plan: Plan = allocator.plan(context)
      return {
        ...plan,
        experts: real(plan.experts),
        shadows: real(plan.shadows),
        next: (heard) => real(plan.next(underKnown(heard))),
        weight: (expert, task) => plan.weight(known(expert), task),
        runProbability: (expert, heard) => plan.runProbability(known(expert), underKnown(heard)),
        isDegraded: (heard) => plan.isDegraded(underKnown(heard)),
      }
    },
  }
}

export function standInCalibration(calibration: Calibration, set: ExpertSet): Calibration {
  return {
    temperature: (context) =>
      calibration.temperature({ ...context, experts: context.experts.map(knownNameIn(set)) }),
  }
}

export function standInWeights(weights: StaticWeights, set: ExpertSet): StaticWeights {
  const under = (ofKind: Readonly<Record<string, number>>) => ({
    ...ofKind,
    ...Object.fromEntries(
      Object.entries(set.standsFor).flatMap(([expert, known]) =>
        ofKind[known] === undefined ? [] : [[expert, ofKind[known]]],
      ),
    ),
  })
  return { news: under(weights.news), comment: under(weights.comment) }
}
