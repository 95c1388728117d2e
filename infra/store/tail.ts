/** Reading `analyses` in log order, whole offsets at a time: what the alert engine, live pages and `tickertone tail` share. */
import { AppError } from '../errors.ts'
import { acceptInOrder, type Fault, offsetsOf, type PlacedRow } from './log-order.ts'
import { quoteName } from './sql.ts'
import type { Store } from './store.ts'

/** The next offset to read by partition, for one log_topic. Partitions that are absent are read from 0. */
export type Cursor = Readonly<Record<number, number>>

export interface TailBatch<Row> {
  /**
   * Never part of an offset; each partition in log order, and the partitions merged by appended_at. A later batch goes on where this
   * one ended, so that no partition runs ahead of another in time.
   */
  readonly rows: readonly Row[]
  /** Where the next call goes on. Equal to the given cursor when nothing is new. */
  readonly cursor: Cursor
}

export interface Tail {
  /**
   * About `limit` rows, always whole offsets, without waiting. Rows up to a fault (an offset missing or doubled) are delivered first;
   * rejects with `STORE` when the fault is next, or with `STORE_LAGGING` (retryable) when it is a hole that replication may still fill.
   */
  read<Row>(cursor: Cursor, limit: number): Promise<TailBatch<Row>>
  /** The cursor behind everything stored now. */
  end(): Promise<Cursor>
}

interface Mark {
  readonly partition: number
  readonly mark: number
}

/** Answered by the projection `mark`. */
export const marksSql =
  'SELECT partition, max(offset) AS mark FROM analyses WHERE log_topic = {logTopic:String} GROUP BY partition ORDER BY partition'

const placed = ['partition', 'offset', 'ordinal', 'block_start', 'gap_from', 'appended_at']

/** `columns` are the ones that rows shall have beside those of `PlacedRow`; all of the table unless told. */
export function createTail(
  store: Pick<Store, 'query' | 'replicated'>,
  logTopic: string,
  columns: readonly string[] = [],
): Tail {
  const select = columns.length === 0 ? '*' : placed.concat(columns).map(quoteName).join(', ')

  const marks = (): Promise<Mark[]> => store.query<Mark>(marksSql, { logTopic }, { lane: 'tail' })

  const readPartition = (partition: number, from: number, mark: number, limit: number) =>
    store.query<PlacedRow>(
      `SELECT ${select} FROM analyses
       WHERE log_topic = {logTopic:String} AND partition = {partition:UInt32} AND offset BETWEEN {from:Int64} AND {mark:Int64}
       ORDER BY log_topic, partition, offset LIMIT {limit:UInt32} WITH TIES`,
      { logTopic, partition, from, mark, limit },
      { lane: 'tail' },
    )

  return {
    async read<Row>(cursor: Cursor, limit: number): Promise<TailBatch<Row>> {
      const queues: PlacedRow[][] = []
      const faults: AppError[] = []
      for (const { partition, mark } of await marks()) {
        const from = cursor[partition] ?? 0
        if (mark < from) continue
        const rows = await readPartition(partition, from, mark, limit)
        const { accepted, fault } = acceptInOrder(rows, from)
        if (fault !== undefined) faults.push(faultError(store, logTopic, partition, fault))
        queues.push(accepted)
      }
      const rows = mergeOffsets(queues, limit)
      if (rows.length === 0 && faults[0] !== undefined) throw faults[0]
      const next = { ...cursor }
      for (const row of rows) next[row.partition] = row.offset + 1
      return { rows: rows as Row[], cursor: rows.length === 0 ? cursor : next }
    },

    async end() {
      return Object.fromEntries((await marks()).map(({ partition, mark }) => [partition, mark + 1]))
    },
  }
}

/** Whole offsets of several partitions, earliest appended_at first, until there are `limit` rows. */
function mergeOffsets(queues: readonly (readonly PlacedRow[])[], limit: number): PlacedRow[] {
  const merged: PlacedRow[] = []
  const heads = queues.map((rows) => offsetsOf(rows))
  const waiting = heads.map((offsets) => offsets.next().value ?? [])
  while (merged.length < limit) {
    const earliest = indexOfEarliest(waiting)
    if (earliest === -1) break
    merged.push(...(waiting[earliest] ?? []))
    waiting[earliest] = heads[earliest]?.next().value ?? []
  }
  return merged
}

/** -1 when all are empty; the lower partition first among equals. */
function indexOfEarliest(waiting: readonly (readonly PlacedRow[])[]): number {
  let earliest = -1
  let time = ''
  for (const [index, [row]] of waiting.entries()) {
    if (row === undefined || (earliest !== -1 && row.appended_at >= time)) continue
    earliest = index
    time = row.appended_at
  }
  return earliest
}

function faultError(
  store: Pick<Store, 'replicated'>,
  logTopic: string,
  partition: number,
  fault: Fault,
): AppError {
  const where = `offsets ${fault.from} to ${fault.to} of ${logTopic}/${partition}`
  if (fault.kind === 'hole' && store.replicated)
    return new AppError('STORE_LAGGING', `This replica does not show the ${where} yet`, {
      retryable: true,
    })
  return new AppError(
    'STORE',
    `The ${where} are ${fault.kind === 'hole' ? 'missing in' : 'more than once in'} the store`,
  )
}
