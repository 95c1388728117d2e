/** What an evaluation keeps of its texts: no text, only each judge's outcome, the kind, and who says the same. */
import { kinds, type Post } from '../../ingest/contract.ts'
import { labelsOf, type Task } from '../contract.ts'
import { TextClusters } from './clusters.ts'
import type { LabelledText } from './labelled-row.ts'
import type { Answers } from './panel.ts'
import { Outcomes } from './tally.ts'

export class JudgedTexts {
  readonly task: Task
  readonly outcomes: ReadonlyMap<string, Outcomes>
  readonly clusters = new TextClusters()
  /** Row numbers. */
  readonly rowsOfKind: Readonly<Record<Post['kind'], number[]>> = { news: [], comment: [] }
  #rows = 0

  constructor(task: Task, judges: readonly string[]) {
    this.task = task
    this.outcomes = new Map(judges.map((judge) => [judge, new Outcomes()]))
  }

  get rows(): number {
    return this.#rows
  }

  /** Throws when a judge is without a distribution over the task's labels: figures of different rows must not stand side by side. */
  add({ kind, text, title, label }: LabelledText, answers: Answers): void {
    for (const [judge, outcomes] of this.outcomes) {
      const probabilities = answers.get(judge)
      if (probabilities?.length !== labelsOf[this.task].length)
        throw new RangeError(`${judge} gave no distribution over the labels of ${this.task}`)
      outcomes.add(label, probabilities)
    }
    this.clusters.add(title === '' ? text : `${title} ${text}`)
    this.rowsOfKind[kind].push(this.#rows)
    this.#rows++
  }

  /** Kinds with rows. */
  kinds(): Post['kind'][] {
    return kinds.filter((kind) => this.rowsOfKind[kind].length > 0)
  }
}
