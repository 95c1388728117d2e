/** Temperatures after fusion: from the task to its kinds to the sets of experts that ran, each shrunk to its parent. */
import { kinds, type Post } from '../../ingest/contract.ts'
import { expertSet, type FusionManifest } from '../allocator/calibration.ts'
import { type Task, tasks } from '../contract.ts'
import { rounded } from '../evaluation/metrics.ts'
import { expertsOf, fusedLogits, type Weights } from './fusion-weights.ts'
import type { Judged } from './judged.ts'
import { fitTemperature } from './temperature.ts'

export type WeightsByKind = Readonly<Record<Post['kind'], Weights>>
type Temperatures = FusionManifest['temperatures']

export function fitFusionTemperatures(
  judged: readonly Judged[],
  weights: WeightsByKind,
): Temperatures {
  const nodes: Temperatures = []
  const add = (
    rows: readonly Judged[],
    ran: (weights: Weights) => Weights,
    at: { task: Task; kind: Post['kind'] | ''; experts: string },
    parent?: number,
  ) => {
    const logits = rows.map((row) => fusedLogits(row, ran(weights[row.kind])))
    const temperature = rounded(fitTemperature(logits, parent))
    nodes.push({ ...at, temperature, rows: rows.length })
    return temperature
  }
  for (const task of tasks) {
    const ofTask = judged.filter((row) => row.task === task)
    const root = add(ofTask, all, { task, kind: '', experts: '' })
    for (const kind of kinds) {
      const rows = ofTask.filter((row) => row.kind === kind)
      if (rows.length === 0) continue
      const parent = add(rows, all, { task, kind, experts: '' }, root)
      for (const set of expertSets(expertsOf(rows)))
        add(rows, only(set), { task, kind, experts: expertSet(set) }, parent)
    }
  }
  return nodes
}

const all = (weights: Weights): Weights => weights

const only =
  (experts: readonly string[]) =>
  (weights: Weights): Weights =>
    Object.fromEntries(experts.map((expert) => [expert, weights[expert] ?? 0]))

/** Every set of experts that may have run: all but the empty one. */
function expertSets(experts: readonly string[]): string[][] {
  const sorted = [...experts].sort()
  return Array.from({ length: 2 ** sorted.length - 1 }, (_, i) =>
    sorted.filter((_expert, bit) => ((i + 1) >> bit) & 1),
  )
}
