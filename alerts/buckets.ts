/**
 * Which rows belong to which bucket of appended_at, and when a bucket is complete.
 *
 * A partition proves a bucket's end by a row stamped at or after it. An idle partition proves it by the log's end: read at
 * least `closeGraceMs` after the bucket's end and reached by the cursor. What still comes late counts in the open bucket.
 * So lag delays a close and never makes it wrong. Once closed, a bucket is its cursor vector: a restart replays the vectors
 * (`script`) and takes into each bucket exactly the rows it had.
 */

import { fromStoreTime } from '../infra/store/store-time.ts'
import type { Cursor } from '../infra/store/tail.ts'

export interface LogRow {
  readonly partition: number
  readonly offset: number
  readonly ordinal: number
  readonly appended_at: string
}

export interface Close<Row> {
  /** Milliseconds. */
  readonly end: number
  /** In (appended_at, partition, offset, ordinal) order. */
  readonly rows: readonly Row[]
  /** The next offset by partition behind this bucket. */
  readonly cursor: Cursor
}

/** A close that was persisted: what it took from the log. */
export interface PastClose {
  readonly end: number
  readonly cursor: Cursor
}

/** The log's end as read at a time. */
export interface LogEnd {
  readonly readAt: number
  readonly offsets: readonly number[]
}

interface Options {
  readonly bucketMs: number
  readonly closeGraceMs: number
  /** Where reading goes on, and the end of the last closed bucket (`undefined`: none yet). */
  readonly start: { readonly cursor: Cursor; readonly end: number | undefined }
  readonly script: readonly PastClose[]
}

export class Buckets<Row extends LogRow> {
  readonly #options: Options
  readonly #script: PastClose[]
  /** Rows of open buckets by bucket end. */
  readonly #open = new Map<number, Row[]>()
  /** Newest stamp seen by partition. */
  readonly #reached = new Map<number, number>()
  #read: Cursor
  #closed: Cursor
  #lastEnd: number | undefined

  constructor(options: Options) {
    this.#options = options
    this.#script = [...options.script]
    this.#read = options.start.cursor
    this.#closed = options.start.cursor
    this.#lastEnd = options.start.end
  }

  /** Where the next read goes on. */
  get cursor(): Cursor {
    return this.#read
  }

  /** The next offset by partition behind the last closed bucket. */
  get closed(): Cursor {
    return this.#closed
  }

  /** Rows read and not yet in a closed bucket. */
  get pending(): number {
    let rows = 0
    for (const bucket of this.#open.values()) rows += bucket.length
    return rows
  }

  /** End of the last closed bucket; `undefined` before the first. */
  get lastEnd(): number | undefined {
    return this.#lastEnd
  }

  /** Takes what the tail read after `cursor`. */
  take(rows: readonly Row[], cursor: Cursor): void {
    for (const row of rows) {
      const at = fromStoreTime(row.appended_at)
      const end = this.#endOf(row, at)
      const bucket = this.#open.get(end)
      if (bucket === undefined) this.#open.set(end, [row])
      else bucket.push(row)
      this.#reached.set(row.partition, Math.max(at, this.#reached.get(row.partition) ?? at))
    }
    this.#read = cursor
  }

  /**
   * The next complete bucket, or `undefined`. `skipEmpty` jumps over buckets without rows to the next one with rows: a
   * caller whose state an empty bucket cannot change asks for that.
   */
  close(logEnd: LogEnd, skipEmpty: boolean): Close<Row> | undefined {
    const past = this.#script[0]
    if (past !== undefined) {
      const next = this.#nextEnd(skipEmpty)
      const isEarlierEmpty = next !== undefined && next < past.end && !this.#open.has(next)
      if (isEarlierEmpty) return this.#closeAt(next, this.#closed)
      if (!isBehind(past.cursor, this.#read)) return undefined
      this.#script.shift()
      return this.#closeAt(past.end, past.cursor)
    }
    const end = this.#nextEnd(skipEmpty)
    if (end === undefined || !this.#isComplete(end, logEnd)) return undefined
    return this.#closeAt(end, this.#cursorBehind(end))
  }

  #endOf(row: Row, at: number): number {
    const past = this.#script.find((close) => row.offset < (close.cursor[row.partition] ?? 0))
    if (past !== undefined) return past.end
    const own = this.#endAfter(at)
    const lastEnd = this.#script.at(-1)?.end ?? this.#lastEnd
    return lastEnd === undefined ? own : Math.max(own, this.#endAfter(lastEnd))
  }

  /** The first bucket end after a time. */
  #endAfter(at: number): number {
    const { bucketMs } = this.#options
    return (Math.floor(at / bucketMs) + 1) * bucketMs
  }

  #nextEnd(skipEmpty: boolean): number | undefined {
    if (this.#lastEnd !== undefined && !skipEmpty) return this.#endAfter(this.#lastEnd)
    const [first, ...others] = this.#open.keys()
    return first === undefined ? undefined : Math.min(first, ...others)
  }

  #isComplete(end: number, logEnd: LogEnd): boolean {
    const idleProof = logEnd.readAt >= end + this.#options.closeGraceMs
    return logEnd.offsets.every(
      (offset, partition) =>
        (this.#reached.get(partition) ?? Number.NEGATIVE_INFINITY) >= end ||
        (idleProof && (this.#read[partition] ?? 0) >= offset),
    )
  }

  #closeAt(end: number, cursor: Cursor): Close<Row> {
    const rows = this.#open.get(end) ?? []
    this.#open.delete(end)
    this.#lastEnd = end
    this.#closed = cursor
    return { end, rows: rows.sort(inLogOrder), cursor }
  }

  /** Stamps never go back in a partition, so the rows of later buckets are the rest of each partition. */
  #cursorBehind(end: number): Cursor {
    const cursor: Record<number, number> = { ...this.#read }
    for (const [bucketEnd, rows] of this.#open) {
      if (bucketEnd <= end) continue
      for (const { partition, offset } of rows)
        cursor[partition] = Math.min(offset, cursor[partition] ?? offset)
    }
    return cursor
  }
}

/** Whether `cursor` lies at or behind what was read, in every partition. */
const isBehind = (cursor: Cursor, read: Cursor): boolean =>
  Object.entries(cursor).every(([partition, offset]) => (read[Number(partition)] ?? 0) >= offset)

function inLogOrder(a: LogRow, b: LogRow): number {
  if (a.appended_at !== b.appended_at) return a.appended_at < b.appended_at ? -1 : 1
  return a.partition - b.partition || a.offset - b.offset || a.ordinal - b.ordinal
}
