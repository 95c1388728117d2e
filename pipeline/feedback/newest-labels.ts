/**
 * The newest label of each labeller on a post and task: what tells a repeated label from a changed one. The table `labels` has all but those that
 * were appended to the topic moments ago, which are kept here until the table has them.
 */
import type { Store } from '../../infra/store/store.ts'
import type { Task } from '../contract.ts'
import type { FeedbackRecord } from './record.ts'
import { placeOf } from './scored-posts.ts'

/** A label through the queue and one outside it are two: the first must not go missing for the second. */
export interface Voter {
  readonly place: string
  readonly task: Task
  readonly labeller: string
  readonly chosen: boolean
}

export interface NewestLabel {
  readonly offset: number
  /** Its name. */
  readonly label: string
}

export class NewestLabels {
  readonly #store: Store
  readonly #appended = new Map<string, NewestLabel & { readonly voter: Voter }>()
  #stored = -1

  constructor(store: Store) {
    this.#store = store
  }

  appended(voter: Voter, label: NewestLabel): void {
    if (label.offset > this.#stored) this.#appended.set(keyOf(voter), { ...label, voter })
  }

  /** The table has everything up to this offset. */
  stored(offset: number): void {
    this.#stored = offset
    for (const [key, label] of this.#appended)
      if (label.offset <= offset) this.#appended.delete(key)
  }

  /** Places that the labeller has labelled through the queue, as far as the table may not know of it. */
  recentPlaces(task: Task, labeller: string): readonly string[] {
    return [...this.#appended.values()].flatMap(({ voter }) =>
      voter.task === task && voter.labeller === labeller && !voter.chosen ? [voter.place] : [],
    )
  }

  /** Of all labellers of the posts. */
  async of(postIds: readonly string[]): Promise<(voter: Voter) => NewestLabel | undefined> {
    // First what the table lacks: it may leave memory while the table is asked, and then the table has it.
    const appended = new Map(this.#appended)
    const rows = await this.#store.query<Row>(newestSql, { ids: [...new Set(postIds)] })
    const table = new Map(
      rows.map((row) => {
        const place = placeOf({ ...row, offset: row.post_offset })
        const { task, labeller, chosen, newest: label, at: offset } = row
        return [keyOf({ place, task, labeller, chosen }), { label, offset }]
      }),
    )
    return (voter) => later(appended.get(keyOf(voter)), table.get(keyOf(voter)))
  }
}

interface Row extends Pick<FeedbackRecord, 'task' | 'labeller'> {
  readonly log_topic: string
  readonly partition: number
  readonly post_offset: number
  readonly chosen: boolean
  readonly newest: string
  readonly at: number
}

const newestSql = `
SELECT log_topic, partition, post_offset, task, labeller, CAST(origin = 'chosen' AS Bool) AS chosen,
  argMax(label, offset) AS newest, max(offset) AS at
FROM labels
WHERE post_id IN {ids:Array(String)}
GROUP BY log_topic, partition, post_offset, task, labeller, chosen`

/** Another process may have appended too. */
function later(one: NewestLabel | undefined, other: NewestLabel | undefined) {
  return (one?.offset ?? -1) > (other?.offset ?? -1) ? one : other
}

function keyOf({ place, task, labeller, chosen }: Voter): string {
  return JSON.stringify([place, task, labeller, chosen])
}
