/** The two reads of `analyses` in log order that `tail` and the continuity check share. */
import type { PlacedRow } from './log-order.ts'
import { quoteName } from './sql.ts'
import type { Store } from './store.ts'

export interface Mark {
  readonly partition: number
  readonly mark: number
}

/** Answered by the projection `mark`. */
export const marksSql =
  'SELECT partition, max(offset) AS mark FROM analyses WHERE log_topic = {logTopic:String} GROUP BY partition ORDER BY partition'

export const readMarks = (store: Pick<Store, 'query'>, logTopic: string): Promise<Mark[]> =>
  store.query<Mark>(marksSql, { logTopic }, { lane: 'tail' })

export interface OffsetRange {
  readonly logTopic: string
  readonly partition: number
  readonly from: number
  /** Up to the mark, because rows above it may show while rows below are still being inserted. */
  readonly mark: number
  /** Rows; the last offset is read whole. */
  readonly limit: number
}

const placed: readonly (keyof PlacedRow)[] = [
  'partition',
  'offset',
  'ordinal',
  'block_start',
  'gap_from',
  'appended_at',
]

/** `columns` beside those of `PlacedRow`; 'all' of the table. */
export type Columns = readonly string[] | 'all'

export function readOffsets(
  store: Pick<Store, 'query'>,
  range: OffsetRange,
  columns: Columns,
): Promise<PlacedRow[]> {
  const select = columns === 'all' ? '*' : [...placed, ...columns].map(quoteName).join(', ')
  return store.query<PlacedRow>(
    `SELECT ${select} FROM analyses
     WHERE log_topic = {logTopic:String} AND partition = {partition:UInt32} AND offset BETWEEN {from:Int64} AND {mark:Int64}
     ORDER BY log_topic, partition, offset LIMIT {limit:UInt32} WITH TIES`,
    { ...range },
    { lane: 'tail' },
  )
}
