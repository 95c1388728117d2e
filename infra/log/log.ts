/**
 * The log port: an append-only, partitioned, replayable log. Kafka in a cluster, LMDB in one process.
 * `log.suite.ts` holds every adapter to the guarantees written here.
 *
 * Offsets are integers from 0 in each partition. They only grow, but may have holes (Kafka's control records, compaction,
 * retention): a reader learns of holes from a batch's `from` and `next`, never from missing records alone.
 * Times are milliseconds since 1970.
 */

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  /** Oldest records beyond these limits may be removed; `undefined` keeps all. */
  readonly retentionMs?: number | undefined
  readonly retentionBytes?: number | undefined
}

export interface NewRecord {
  /** Records of one key share a partition. `null` spreads them. */
  readonly key: string | null
  readonly value: string | Uint8Array
}

export interface LogRecord {
  readonly offset: number
  /** When the log took the record. The running maximum of a partition: it never goes back. */
  readonly timestamp: number
  /** UTF-8; bytes of others that are none become U+FFFD. */
  readonly key: string | null
  /** Empty too where another program wrote none (a tombstone). */
  readonly value: Buffer
}

export interface Position {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** The records of offsets `from` (included) to `next` (excluded) of one partition; `records` may be empty or have holes. */
export interface LogBatch {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly next: number
  readonly records: readonly LogRecord[]
  /** False as soon as this consumer lost the partition: what it still does with the batch must have no effect. */
  isCurrent(): boolean
}

export interface ConsumeOptions {
  readonly topics: readonly string[]
  readonly group: string
  /** The offset to read next, asked at every assignment. Beyond the partition's end: reading waits there. */
  startAt(topic: string, partition: number): Promise<number>
  /** The partition went to another consumer of the group, or may have: its batches are no longer current. Not called by a stop. */
  onLost?(topic: string, partition: number): void
  readonly maxBatchRecords?: number
  readonly maxBatchBytes?: number
  /** The partition stopped for good (a non-retryable error); the others go on. */
  onStopped?(topic: string, partition: number, error: unknown): void
}

/** How far a consumer has come in a partition that it has. */
export interface Progress {
  readonly topic: string
  readonly partition: number
  /** All below is handled. It does not move while a batch is in hand. */
  readonly next: number
  /** Where the partition ended when it was last asked; `undefined` while that is not known. Below `next` only where the log shrank. */
  readonly end: number | undefined
}

export interface Consumer {
  /** Stops delivery of a partition after the batch in hand, until `resume`: also when the partition leaves and comes back meanwhile. */
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  /**
   * Records that the group is done with all offsets below `next`; retention may then remove them. Refused with `LOG` when another
   * consumer has the partition by now.
   */
  commit(topic: string, partition: number, next: number): Promise<void>
  /** Of the partitions that this consumer has and that have a start, in no order. */
  progress(): readonly Progress[]
  /** Resolves when the batch in hand is done and no further one will come. Idempotent. */
  stop(): Promise<void>
}

export interface Follower {
  /** Idempotent. */
  stop(): Promise<void>
}

export interface Log {
  /**
   * Creates missing topics, and applies the retention asked for where the log is ours alone (on a cluster it is set at creation and then the
   * operator's). Refuses with `LOG`, every fault named, a topic that exists with another number of partitions or with settings that would
   * lose or misdate records, and every spec that `checkTopicSpecs` refuses.
   */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>
  partitions(topic: string): Promise<number>
  /**
   * Appends durably: when it resolves, the records survive kill -9. Positions stand in the order of `records`; records of one
   * partition keep their order. Refused as a whole with `LOG_FULL` (retryable) when retention cannot make room, and with `LOG` when a
   * record is larger than the log takes. Any other rejection may have left records behind: those of some partitions, or all of them, and
   * each once or more often. Who repeats an append must know its records again.
   */
  append(topic: string, records: readonly NewRecord[]): Promise<readonly Position[]>
  /**
   * Delivers each partition's batches in order, one at a time. A rejected `onBatch` is repeated from the same offset after a
   * backoff, unless its error is an AppError with `retryable: false`: then the partition stops (`onStopped`).
   */
  consume(options: ConsumeOptions, onBatch: (batch: LogBatch) => Promise<void>): Promise<Consumer>
  /**
   * Every record of every partition from `from[partition]` (0 where it says nothing) on, and then new ones as they come, without a
   * group. Failures of `onBatch` are treated as in `consume`; a partition that stops for good is logged.
   */
  follow(
    topic: string,
    from: readonly number[],
    onBatch: (batch: LogBatch) => Promise<void>,
  ): Promise<Follower>
  /** The oldest offset still held, by partition. */
  beginningOffsets(topic: string): Promise<readonly number[]>
  /** The offset that the next record will get, by partition. */
  endOffsets(topic: string): Promise<readonly number[]>
  /** The first offset whose timestamp is at or after `time`, by partition; the end offset where there is none. */
  offsetsAt(topic: string, time: number): Promise<readonly number[]>
  /** What the group committed, by partition; -1 where nothing yet. */
  committed(group: string, topic: string): Promise<readonly number[]>
  close(): Promise<void>
}

export const topics = {
  posts: 'posts',
  dead: 'posts.dead',
  feedback: 'feedback',
  control: 'control',
} as const
