/** Reading `analyses` in log order, whole offsets at a time: what the alert engine, live pages and `tickertone tail` share. */
import { AppError } from '../errors.ts'
import { acceptInOrder, type Fault, offsetsOf, type PlacedRow } from './log-order.ts'
import { type Columns, readMarks, readOffsets } from './offsets.ts'
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
   * About `limit` rows, always whole offsets, without waiting. Rows up to a fault (an offset missing or doubled) are delivered first.
   * Rejects with `STORE` when a fault is next in some partition, or with `STORE_LAGGING` (retryable) when it is a hole that
   * replication may still fill.
   */
  read<Row>(cursor: Cursor, limit: number): Promise<TailBatch<Row>>
  /** The cursor behind everything stored now. */
  end(): Promise<Cursor>
}

/** Rows have the columns of `PlacedRow` and `columns`; fewer columns are read faster. */
export function createTail(
  store: Pick<Store, 'query' | 'replicated'>,
  logTopic: string,
  columns: Columns = 'all',
): Tail {
  return {
    async read<Row>(cursor: Cursor, limit: number): Promise<TailBatch<Row>> {
      const queues: PlacedRow[][] = []
      for (const { partition, mark } of await readMarks(store, logTopic)) {
        const from = cursor[partition] ?? 0
        if (mark < from) continue
        const range = { logTopic, partition, from, mark, limit }
        const { rows, fault } = acceptInOrder(await readOffsets(store, range, columns), from)
        if (fault !== undefined && rows.length === 0)
          throw faultError(store, logTopic, partition, fault)
        queues.push(rows)
      }
      const rows = mergeOffsets(queues, limit)
      const next = { ...cursor }
      for (const row of rows) next[row.partition] = row.offset + 1
      return { rows: rows as Row[], cursor: rows.length === 0 ? cursor : next }
    },

    async end() {
      const marks = await readMarks(store, logTopic)
      return Object.fromEntries(marks.map(({ partition, mark }) => [partition, mark + 1]))
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
