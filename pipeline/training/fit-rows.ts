/** The labelled texts that everything after the experts is fitted on. */
import type { Task } from '../contract.ts'
import type { Grouped } from '../fitting/judged.ts'
import { clusterIds, foldOfCluster } from '../fitting/splits.ts'
import type { Corpus } from './corpus.ts'
import type { Example } from './dataset.ts'

export interface FitRow extends Grouped {
  readonly task: Task
  readonly example: Example
}

/** News of `fit`; comments, of which `fit` has only 48, from everywhere but `report`: experts judge those out of fold. */
export function fitRows(corpus: Corpus): FitRow[] {
  const report = new Set(corpus.rows('report', 'comments').map(({ id }) => id))
  const chosen: readonly (readonly [Task, readonly Example[]])[] = [
    ['sentiment', corpus.rows('fit', 'tweets')],
    ['sentiment', corpus.comments.filter(({ id }) => !report.has(id))],
    ['topic', corpus.rows('fit', 'topics')],
  ]
  const rows = chosen.flatMap(([task, examples]) => examples.map((example) => ({ task, example })))
  const clusters = clusterIds(rows.map(({ example }) => example))
  const numbers = new Map([...new Set(clusters.values())].map((cluster, i) => [cluster, i]))
  return rows.map(({ task, example }) => {
    const cluster = clusters.get(example.id) ?? example.id
    return {
      task,
      example,
      fold: corpus.commentFolds.get(example.id) ?? foldOfCluster(cluster),
      cluster: numbers.get(cluster) ?? -1,
    }
  })
}
