/**
 * The store port: ClickHouse, as a server or embedded in this process. One client, one SQL; only the form of the fenced insert
 * differs, and the port hides it.
 */

/** Separate connections, so that a long query of one kind never delays another. */
export type Lane = 'writer' | 'tail' | 'pages' | 'analyst'

export interface QueryOptions {
  readonly lane?: Lane
  readonly maxExecutionMs?: number
}

export type Params = Readonly<Record<string, unknown>>

/** One partition of one log in one epoch. */
export interface PartitionId {
  readonly logTopic: string
  readonly partition: number
}

/** A contiguous run of offsets with all their rows: what one insert makes durable, in one part. */
export interface Block extends PartitionId {
  /** The mark this block builds on: its first offset is `mark + 1`. */
  readonly mark: number
  readonly last: number
  /** One JSON document a row (JSONEachRow), in log order. */
  readonly rows: readonly string[]
  readonly token: string
}

export type InsertOutcome =
  | { readonly kind: 'acknowledged' }
  /** The fence refused the block: the partition's mark is no longer `block.mark`. */
  | { readonly kind: 'mark-moved' }
  /** The insert failed or its answer was lost: it may or may not be in the table. */
  | { readonly kind: 'unknown'; readonly error: unknown }

export interface Store {
  /** Rows of a SELECT as objects. Values travel as bound parameters (`{name:Type}`), never inside the SQL. */
  query<T>(sql: string, params?: Params, options?: QueryOptions): Promise<T[]>
  /** DDL and other statements without a result. */
  command(sql: string, params?: Params): Promise<void>
  /** Plain insert for tables that are not `analyses`; durable when it resolves. */
  insert(table: string, rows: readonly object[]): Promise<void>
  /** The highest stored offset of a partition; -1 when it has none. */
  mark(partition: PartitionId): Promise<number>
  /** Inserts into `analyses` unless the mark moved. Never throws for an engine error: the outcome says what is known. */
  insertBlock(block: Block): Promise<InsertOutcome>
  /** New with every opening of the folder or start of the server: an insert of an earlier boot died with it. */
  readonly boot: string
  close(): Promise<void>
}
