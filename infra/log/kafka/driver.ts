/**
 * What the Kafka log needs of a client library, and nothing more: another library is another implementation of this file.
 *
 * Names are those on the cluster. Failures are `AppError`s: `LOG_UNREACHABLE` (retryable) where no broker answers or the login is
 * refused, `LOG` otherwise, retryable where a repetition can help. No message or log line holds a password or a record.
 */
import type { NewRecord } from '../log.ts'

export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export interface TopicDescription {
  readonly partitions: number
  /** Kafka's own names and words; `undefined` where this user may not read them. */
  readonly config: ReadonlyMap<string, string> | undefined
}

/** `begin` is the oldest offset held, `end` the one that the next record gets. */
export interface OffsetRange {
  readonly begin: number
  readonly end: number
}

export interface FetchedRecord {
  readonly offset: number
  /** As the broker stamped it: it may go back where the leader changed. */
  readonly timestamp: number
  readonly key: Buffer | null
  /** `null` is a tombstone. */
  readonly value: Buffer | null
}

/** What stood at the offsets `from` (the one asked for) to `next` (excluded); without records where none were for us to see. */
export interface FetchedBatch {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly next: number
  /** The end of the partition when this was read. */
  readonly end: number
  readonly records: readonly FetchedRecord[]
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Called synchronously: none may wait for what it starts. */
export interface MemberHandlers {
  /** The member has these partitions now, and lost all that it had before. Each is read from its first `seek` on. */
  onAssigned(partitions: readonly TopicPartition[]): void
  /** Batches of a partition come in order. One refused (`false`) is not passed: it comes again, or what was sought meanwhile. */
  onBatch(batch: FetchedBatch): boolean
  /** The broker has just heard from this member and counts it as alive. */
  onAlive(): void
  /** The member is out of the group for good; another one must join. Not called after `leave`. */
  onEnded(error: unknown): void
}

export interface JoinOptions extends MemberHandlers {
  readonly group: string
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
}

/** One member of a consumer group. `seek`, `pause` and `resume` of a partition that it does not have do nothing. */
export interface Member {
  /** The offset must be held by the partition, or be its end. */
  seek(topic: string, partition: number, offset: number): void
  pause(topic: string, partition: number): void
  resume(topic: string, partition: number): void
  /** Retried while the group's coordinator moves, then rejected as retryable. The group does not check who has the partition. */
  commit(topic: string, partition: number, next: number): Promise<void>
  /** Leaves the group, so that others get its partitions at once. Idempotent; never rejects. */
  leave(): Promise<void>
}

export interface KafkaDriver {
  /** Resolves when a broker answered and let us in. Bounded in time. */
  connect(): Promise<void>
  /** Of those that exist. */
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  /** Topics that exist by now are left as they are. False: this user may not create. */
  createTopics(topics: readonly NewTopic[]): Promise<boolean>
  /** By partition. */
  offsets(topic: string): Promise<readonly OffsetRange[]>
  /** The first offset stamped at or after `time`, by partition; the end where there is none. */
  offsetsAt(topic: string, time: number): Promise<readonly number[]>
  /**
   * Appends to one partition, in order, as one batch; answers the offset of the first record. When it resolves, every in-sync replica
   * has the records; when it rejects they may still be there, once or more often. Two sends to one partition keep their order only
   * where the second waits for the first.
   */
  send(topic: string, partition: number, records: readonly NewRecord[]): Promise<number>
  /** What the group committed, by partition; -1 where nothing. */
  committed(group: string, topic: string): Promise<readonly number[]>
  /** Resolves when the member is in the group; rejects when that fails. */
  join(options: JoinOptions): Promise<Member>
  /** Forgets a group without members. */
  deleteGroup(group: string): Promise<void>
  close(): Promise<void>
}
