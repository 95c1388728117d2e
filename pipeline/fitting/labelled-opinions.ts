/** What a fit keeps of labelled texts: no text once near-duplicates are found, only labels, opinions, and who says the same. */
import type { Post } from '../../ingest/contract.ts'
import { type Task, tasks } from '../contract.ts'
import { TextClusters } from '../evaluation/clusters.ts'
import type { TaskLabels } from '../evaluation/labelled-row.ts'
import { textId } from '../text/normalise.ts'
import type { Outputs } from './hear-experts.ts'
import type { Judged } from './judged.ts'
import { foldOfCluster } from './splits.ts'

interface Row {
  readonly task: Task
  readonly kind: Post['kind']
  readonly label: number
  /** Number of the text. */
  readonly text: number
  readonly opinions: Readonly<Record<string, readonly number[]>>
}

export class LabelledOpinions {
  readonly #rows: Row[] = []
  readonly #clusters = new TextClusters()
  /** Of each text, as pipeline/training/splits names it. */
  readonly ids: string[] = []

  add({ kind, title, text, labels }: TaskLabels, outputs: Outputs): void {
    const number = this.ids.length
    const whole = title === '' ? text : `${title} ${text}`
    this.ids.push(textId(whole))
    this.#clusters.add(whole)
    for (const task of tasks) {
      const label = labels[task]
      if (label === undefined) continue
      const opinions = Object.fromEntries(
        [...outputs].flatMap(([expert, output]) => {
          const opinion = output[task]
          return opinion === undefined ? [] : [[expert, opinion]]
        }),
      )
      if (Object.keys(opinions).length > 0)
        this.#rows.push({ task, kind, label, text: number, opinions })
    }
  }

  /** Near-duplicates share a fold, which is a hash of the smallest id among them: one more text elsewhere moves nothing. */
  judged(): Judged[] {
    const { clusters } = this.#clusters.assign()
    const names = new Map<number, string>()
    for (const [text, cluster] of clusters.entries()) {
      const [id = '', least] = [this.ids[text], names.get(cluster)]
      if (least === undefined || id < least) names.set(cluster, id)
    }
    return this.#rows.map(({ text, ...row }) => {
      const cluster = clusters[text] ?? text
      return { ...row, cluster, fold: foldOfCluster(names.get(cluster) ?? '') }
    })
  }
}
