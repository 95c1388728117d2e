/** The weights as they stood behind one record: later records change another book. */
import { tasks } from '../../contract.ts'
import type { WeightBook, WeightContext } from '../weights.ts'
import { type ContextNode, contextPath, shrunk } from './contexts.ts'
import { judgesOf, learning, priorOf, type WeightModel } from './model.ts'

type Named = Readonly<Record<string, number>>

export function createBook(
  model: WeightModel,
  version: number,
  nodes: ReadonlyMap<string, ContextNode>,
): WeightBook {
  const namesOf = new Map(
    tasks.map((task) => [task, judgesOf(model, task).map(({ name }) => name)]),
  )
  const known = new Map<string, Named>()
  const weigh = ({ task, kind }: WeightContext, path: readonly string[]): Named => {
    const around = path.map((key) => nodes.get(key))
    const weights = shrunk(priorOf(model, task, kind), around, learning.kappa)
    return Object.fromEntries((namesOf.get(task) ?? []).map((name, i) => [name, weights[i] ?? 0]))
  }
  return {
    version,
    weights(context) {
      const path = contextPath(context)
      const narrowest = path.at(-1) ?? context.task
      const found = known.get(narrowest) ?? weigh(context, path)
      known.set(narrowest, found)
      return found
    },
  }
}
