/** Reading `analyses` in log order, whole offsets at a time: what the alert engine, live pages and `tickertone tail` share. */

/** The next offset to read by partition, for one log_topic. */
export type Cursor = Readonly<Record<number, number>>

export interface TailBatch<Row> {
  /** In (appended_at, partition, offset, ordinal) order; never part of an offset. */
  readonly rows: readonly Row[]
  /** Where the next call goes on. Equal to the given cursor when nothing is new. */
  readonly cursor: Cursor
}

export interface Tail {
  /** At most about `limit` rows, always whole offsets, without waiting. */
  read<Row>(cursor: Cursor, limit: number): Promise<TailBatch<Row>>
  /** The cursor behind everything stored now. */
  end(): Promise<Cursor>
}
