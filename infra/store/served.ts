/** Rows in the revision that a given coverage shows, whatever is in force now: for readers whose answer may not change when that does. */

/** Offsets `from` (included) to `to` (excluded) of a partition that show a re-scoring. */
export interface CoveredRange {
  readonly partition: number
  readonly from: number
  readonly to: number
  readonly revision: number
}

const covers = 'range[1] = partition AND range[2] <= offset AND offset < range[3]'
const ranges = '{coverage:Array(Array(Int64))}'

/** A table expression with `columns` of one log topic. Binds `logTopic` and `coverage` (`coverageParam`). */
export function servedRows(columns: string): string {
  return `(
  SELECT ${columns} FROM analyses
  WHERE log_topic = {logTopic:String} AND NOT arrayExists(range -> ${covers}, ${ranges})
  UNION ALL
  SELECT ${columns} FROM rescored
  WHERE log_topic = {logTopic:String} AND arrayExists(range -> ${covers} AND range[4] = revision, ${ranges})
)`
}

export function coverageParam(coverage: readonly CoveredRange[]): number[][] {
  return coverage.map(({ partition, from, to, revision }) => [partition, from, to, revision])
}
