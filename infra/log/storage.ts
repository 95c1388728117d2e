/** What the embedded log needs of its ordered key-value engine. `embedded.ts` fulfils it with LMDB. */

export type StorageKey = readonly (string | number)[]

/** Keys are ordered part by part. Writes are allowed inside `Storage.write` alone. */
export interface Table<V> {
  get(key: StorageKey): V | undefined
  put(key: StorageKey, value: V): void
  remove(key: StorageKey): void
  /** Entries from `start` (included) to `end` (excluded), in key order, of one snapshot. */
  range(start: StorageKey, end: StorageKey): Iterable<{ key: StorageKey; value: V }>
  all(): Iterable<{ key: StorageKey; value: V }>
}

export interface TopicRow {
  readonly name: string
  readonly id: number
  readonly partitions: number
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
}

/** The state of one partition, kept in the same transaction as its records. Offsets `begin` to `end` (excluded) are all there. */
export interface Head {
  readonly begin: number
  readonly end: number
  readonly bytes: number
  readonly lastTimestamp: number
}

/** What a group has said of one partition. */
export interface GroupRow {
  /** The last commit; -1 before the first. */
  readonly committed: number
  /** Retention keeps everything from here on. */
  readonly needs: number
}

export interface Storage {
  /** [topic id, partition, offset] */
  readonly records: Table<Buffer>
  /** [topic id, partition] */
  readonly heads: Table<Head>
  /** [topic name] */
  readonly topics: Table<TopicRow>
  /** [topic name, group, partition] */
  readonly groups: Table<GroupRow>
  /**
   * Runs `work` in a write transaction: all of it is durable when this resolves, or none of it happened when it rejects.
   * `work` is synchronous. Failures of the engine are AppErrors.
   */
  write<T>(work: () => T): Promise<T>
  readonly logId: string
  close(): Promise<void>
}
