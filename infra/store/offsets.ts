/** The two reads of `analyses` in log order that `tail` and the continuity check share. */
import type { PlacedRow } from './log-order.ts'
import { quoteName } from './sql.ts'
import type { Store } from './store.ts'
import { fromStoreTime } from './store-time.ts'

export interface Mark {
  readonly partition: number
  readonly mark: number
}

/** Answered by the projection `mark`. */
export const marksSql =
  'SELECT partition, max(offset) AS mark FROM analyses WHERE log_topic = {logTopic:String} GROUP BY partition ORDER BY partition'

export const readMarks = (store: Pick<Store, 'query'>, logTopic: string): Promise<Mark[]> =>
  store.query<Mark>(marksSql, { logTopic }, { lane: 'tail' })

/** The row of a partition's mark: ordinal 0. */
export interface LastRow {
  readonly partition: number
  readonly mark: number
  readonly outcome: string
  readonly postId: string
  /** Milliseconds since 1970; no row of the partition is younger. */
  readonly appendedAt: number
}

/** Of every partition that has rows, or of the one asked for. */
export async function readLastRows(
  store: Pick<Store, 'query'>,
  logTopic: string,
  partition?: number,
): Promise<LastRow[]> {
  const where = `WHERE log_topic = {logTopic:String}${partition === undefined ? '' : ' AND partition = {partition:UInt32}'}`
  const rows = await store.query<Omit<LastRow, 'appendedAt'> & { readonly appendedAt: string }>(
    `SELECT partition, offset AS mark, outcome, post_id AS postId, appended_at AS appendedAt FROM analyses ${where}
     AND ordinal = 0 AND (partition, offset) IN (SELECT partition, max(offset) FROM analyses ${where} GROUP BY partition)`,
    { logTopic, ...(partition !== undefined && { partition }) },
    { lane: 'writer' },
  )
  return rows.map((row) => ({ ...row, appendedAt: fromStoreTime(row.appendedAt) }))
}

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
