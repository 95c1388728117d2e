/** Rows of the tail in the revision that is in force: only those around a change of experts are re-scored already when they are read. */
import type { Store } from '../infra/store/store.ts'
import type { ServedRange } from '../pipeline/contract.ts'
import type { MentionRow } from './window.ts'

/** The rows in their order, each as the coverage shows it. */
export type InForce = (
  rows: readonly MentionRow[],
  coverage: readonly ServedRange[],
) => Promise<readonly MentionRow[]>

type Revised = Pick<
  MentionRow,
  | 'partition'
  | 'offset'
  | 'ordinal'
  | 'negative'
  | 'experts.name'
  | 'experts.task'
  | 'experts.probabilities'
>

export function inForceOf(store: Pick<Store, 'query'>, logTopic: string): InForce {
  async function revisedIn(range: ServedRange, rows: readonly MentionRow[]): Promise<Revised[]> {
    const offsets = rows.map(({ offset }) => offset)
    return store.query<Revised>(
      `SELECT partition, offset, ordinal, negative, \`experts.name\`, \`experts.task\`, \`experts.probabilities\`
       FROM rescored
       WHERE revision = {revision:UInt32} AND log_topic = {logTopic:String} AND partition = {partition:UInt32}
         AND offset BETWEEN {first:Int64} AND {last:Int64}`,
      {
        logTopic,
        partition: range.partition,
        revision: range.revision,
        first: Math.min(...offsets),
        last: Math.max(...offsets),
      },
      { lane: 'tail' },
    )
  }

  return async (rows, coverage) => {
    const revised = new Map<string, Revised>()
    for (const range of coverage) {
      const inside = rows.filter((row) => isInside(row, range, logTopic))
      if (inside.length === 0) continue
      for (const row of await revisedIn(range, inside)) revised.set(keyOf(row), row)
    }
    return revised.size === 0 ? rows : rows.map((row) => ({ ...row, ...revised.get(keyOf(row)) }))
  }
}

function isInside(row: MentionRow, range: ServedRange, logTopic: string): boolean {
  return (
    range.logTopic === logTopic &&
    row.partition === range.partition &&
    range.from <= row.offset &&
    row.offset < range.to
  )
}

const keyOf = ({ partition, offset, ordinal }: Omit<Revised, 'negative'>): string =>
  `${partition}/${offset}/${ordinal}`
