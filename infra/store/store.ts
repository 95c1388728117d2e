/**
 * The store port: ClickHouse, as a server or embedded in this process. One client, one SQL; only the form of the fenced insert
 * differs, and the port hides it.
 */

/** Separate connections, so that a long query of one kind never delays another. */
export type Lane = 'writer' | 'tail' | 'pages' | 'analyst'

export interface QueryOptions {
  /** `pages` unless told. */
  readonly lane?: Lane
  /** The engine stops the query after this time; 30 s unless told. */
  readonly maxExecutionMs?: number
  /** The engine stops the query when it needs more memory; no limit of its own unless told. */
  readonly maxMemoryBytes?: number
}

export type Params = Readonly<Record<string, unknown>>

/** One partition of one log in one epoch. */
export interface PartitionId {
  /** The topic with its epoch: 'posts@0'. */
  readonly logTopic: string
  readonly partition: number
  /** Its rows of a re-scoring, in the table `rescored`; without it those of `analyses`. */
  readonly revision?: Revision | undefined
}

/** A re-scoring of a partition from the offset `from` on. */
export interface Revision {
  readonly number: number
  readonly from: number
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

/**
 * Failures are AppErrors: `DISK_FULL` (retryable), `STORE` otherwise (retryable when the server was out of reach or the time was
 * up). Statements carry no SETTINGS or FORMAT of their own: the port adds both.
 */
export interface Store {
  /** Rows of a SELECT as objects. Values stand in `params`, and as `{name:Type}` in the SQL: a caller never builds a literal. */
  query<T>(sql: string, params?: Params, options?: QueryOptions): Promise<T[]>
  /**
   * The lines of EXPLAIN AST. `statement` must come from the engine's own formatter: what stands behind a `;` would be executed.
   * Not as a subquery, nor with settings: both change the tree (a subquery's loses window definitions and SAMPLE).
   */
  syntaxTree(statement: string): Promise<string[]>
  /** DDL and mutations: statements without a result. It runs to its end however long that takes. */
  command(sql: string, params?: Params): Promise<void>
  /** Plain insert for tables that are not `analyses`; all rows have the first one's columns. Durable when it resolves. */
  insert(table: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void>
  /** The highest stored offset of a partition; -1 when it has none, and the one before its first for a revision. */
  mark(partition: PartitionId): Promise<number>
  /** Inserts into `analyses`, or `rescored` for a revision, unless the mark moved. Never rejects for an engine error: the outcome says what is known. */
  insertBlock(block: Block): Promise<InsertOutcome>
  /**
   * Part of every token. All writers that can run at the same moment share it, or their tokens would not collide: one for each
   * opening of an embedded folder (a second opening at the same time is refused), one for a server.
   */
  readonly boot: string
  /** Rows may show later than they were acknowledged, and in another order: the tables are replicated. */
  readonly replicated: boolean
  /** Waits for statements under way. Idempotent. */
  close(): Promise<void>
}
