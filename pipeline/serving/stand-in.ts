/**
 * Promoted experts in the plans of an allocator that knows only the configured ones. One that stands for another has the other's place: the plan
 * is made under the known name and read under the real one. One that votes beside them runs on every post, with its weight of the config.
 */
import type { AllocationContext, Allocator, Heard, Plan } from '../allocator/allocator.ts'
import type { Calibration } from '../allocator/calibration.ts'
import type { StaticWeights } from '../allocator/static.ts'
import type { ExpertSet } from '../contract.ts'

export interface Configured {
  /** Whom the allocator plans for. */
  readonly experts: readonly string[]
  /** Of experts that vote beside them; without one an expert does not run on that kind. */
  readonly weights: StaticWeights
}

const knownNameIn =
  ({ standsFor }: ExpertSet) =>
  (expert: string): string =>
    standsFor[expert] ?? expert

export function standIn(allocator: Allocator, set: ExpertSet, configured: Configured): Allocator {
  const known = knownNameIn(set)
  const added = set.experts.filter((expert) => !configured.experts.includes(known(expert)))
  const replaces = set.experts.some((expert) => known(expert) !== expert)
  const replaced = replaces ? renamed(allocator, set, known) : allocator
  return added.length === 0 ? replaced : beside(replaced, added, configured.weights)
}

function renamed(
  allocator: Allocator,
  set: ExpertSet,
  known: (expert: string) => string,
): Allocator {
  const byKnown = new Map(set.experts.map((expert) => [known(expert), expert]))
  const real = (names: readonly string[]) => names.map((name) => byKnown.get(name) ?? name)
  const underKnown = (heard: Heard): Heard =>
    new Map([...heard].map(([expert, output]) => [known(expert), output]))
  const read = (plan: Plan): Plan => ({
    ...plan,
    experts: real(plan.experts),
    shadows: real(plan.shadows),
    next: (heard) => real(plan.next(underKnown(heard))),
    weight: (expert, task) => plan.weight(known(expert), task),
    runProbability: (expert, heard) => plan.runProbability(known(expert), underKnown(heard)),
    isDegraded: (heard) => plan.isDegraded(underKnown(heard)),
  })
  return { plan: (context) => read(allocator.plan(context)) }
}

function beside(allocator: Allocator, added: readonly string[], weights: StaticWeights): Allocator {
  return { plan: (context) => withVoters(allocator.plan(context), added, weights, context) }
}

function withVoters(
  plan: Plan,
  added: readonly string[],
  weights: StaticWeights,
  { kind }: AllocationContext,
): Plan {
  const voters = new Map(
    added.flatMap((name) => {
      const weight = weights[kind][name]
      return weight === undefined ? [] : [[name, weight] as const]
    }),
  )
  const missing = (heard: Heard) => [...voters.keys()].filter((name) => !heard.has(name))
  return {
    ...plan,
    experts: [...plan.experts, ...voters.keys()],
    next: (heard) => [...missing(heard), ...plan.next(heard)],
    weight: (expert, task) => voters.get(expert) ?? plan.weight(expert, task),
    runProbability: (expert, heard) =>
      voters.has(expert) ? 1 : plan.runProbability(expert, heard),
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
