/**
 * How far a process is behind the log with posts that somebody waits for. History is in no hurry, so a partition counts from its first batch that holds a
 * live post to its next one of nothing but history: an import shall not be judged worse for its size.
 */
import type { LogBatch, LogRecord, Progress } from '../infra/log/log.ts'
import { decodePost } from '../ingest/contract.ts'

export interface Backlog {
  /** In the log behind what is stored. */
  readonly posts: number
  /** How long ago the log took the oldest live post that is being judged. */
  readonly oldestMs: number
}

interface Place {
  /** The offset behind what is stored. */
  readonly next: number
  /** When the log took the oldest live post in hand. */
  readonly oldestAt: number
  /** False when another process has the partition: what waits there is no work of this one. */
  isCurrent(): boolean
}

export class BacklogGauge {
  readonly #places = new Map<number, Place>()

  begin({ partition, from, records, isCurrent }: LogBatch): void {
    const oldest = records.find(isLive)
    if (oldest === undefined) this.#places.delete(partition)
    else this.#places.set(partition, { next: from, oldestAt: oldest.timestamp, isCurrent })
  }

  end({ partition, next, isCurrent }: LogBatch): void {
    if (this.#places.has(partition))
      this.#places.set(partition, { next, oldestAt: Number.POSITIVE_INFINITY, isCurrent })
  }

  /** The partition is no work of this process any more. */
  forget(partition: number): void {
    this.#places.delete(partition)
  }

  /** A partition whose end is not known counts with what is known of it: nothing. */
  measure(progress: readonly Pick<Progress, 'partition' | 'end'>[], now: number): Backlog {
    const ends = new Map(progress.map(({ partition, end }) => [partition, end]))
    const places = [...this.#places].filter(([, { isCurrent }]) => isCurrent())
    const waiting = places.map(([partition, { next }]) =>
      Math.max(0, (ends.get(partition) ?? next) - next),
    )
    return {
      posts: waiting.reduce((sum, posts) => sum + posts, 0),
      oldestMs: Math.max(0, now - Math.min(now, ...places.map(([, { oldestAt }]) => oldestAt))),
    }
  }
}

function isLive({ value, timestamp }: LogRecord): boolean {
  const decoded = decodePost(value, timestamp)
  return decoded.ok && decoded.post.history !== true
}
