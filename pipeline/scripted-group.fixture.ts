/**
 * A log whose consumers are told by a test which partitions they have, when they lose them and what they are given: several pipelines as
 * members of one group, in one process.
 */
import type { ConsumeOptions, Consumer, Log, LogBatch, LogRecord } from '../infra/log/log.ts'
import { topics } from '../infra/log/log.ts'

/** A record of `posts`; undefined is an offset without one. */
export type Written = Pick<LogRecord, 'value' | 'timestamp'> | undefined

export class ScriptedLog {
  /** By partition. */
  readonly partitions: Written[][]
  readonly begins: number[]

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => [])
    this.begins = Array(partitions).fill(0)
  }

  put(partition: number, id: string, timestamp: number, text = `$FB falls, says ${id}`): void {
    const post = { id, source: 'test', kind: 'news', text, publishedAt: '2026-01-01T00:00:00Z' }
    this.partitions[partition]?.push({ value: Buffer.from(JSON.stringify(post)), timestamp })
  }

  /** Offsets `from` to `next`, as a reader gets them. */
  read(partition: number, from: number, next: number): Pick<LogBatch, 'from' | 'next' | 'records'> {
    const records = (this.partitions[partition] ?? []).slice(from, next).flatMap((written, at) => {
      const offset = from + at
      const isHeld = written !== undefined && offset >= (this.begins[partition] ?? 0)
      return isHeld ? [{ ...written, offset, key: null }] : []
    })
    return { from, next, records }
  }

  ends(): number[] {
    return this.partitions.map((records) => records.length)
  }
}

interface Assigned {
  next: number
  isCurrent: boolean
  inHand: Promise<void>
}

export class Member {
  readonly #log: ScriptedLog
  readonly #has = new Map<number, Assigned>()
  readonly paused = new Set<number>()
  readonly commits: [partition: number, next: number][] = []
  #options: ConsumeOptions | undefined
  #onBatch: (batch: LogBatch) => Promise<void> = async () => {}

  constructor(log: ScriptedLog) {
    this.#log = log
  }

  /** The log as this member sees it. */
  get log(): Log {
    const unused = async (): Promise<never> => {
      throw new Error('a scripted log has no such thing')
    }
    return {
      ensureTopics: unused,
      partitions: unused,
      committed: unused,
      offsetsAt: unused,
      append: async (topic, records) =>
        records.map((_, offset) => ({ topic, partition: 0, offset })),
      beginningOffsets: async () => this.#log.begins,
      endOffsets: async () => this.#log.ends(),
      follow: async (_, from, onBatch) => {
        for (const [partition, first] of from.entries()) {
          const end = this.#log.ends()[partition] ?? 0
          if (end > first) await onBatch(this.#batch(partition, first, end, () => true))
        }
        return { stop: async () => {} }
      },
      consume: async (options, onBatch) => {
        this.#options = options
        this.#onBatch = onBatch
        return this.#consumer()
      },
      close: async () => {},
    }
  }

  /** What it had of the partition is lost: each assignment is a generation. */
  async assign(partition: number): Promise<void> {
    this.lose(partition)
    const assigned: Assigned = { next: 0, isCurrent: true, inHand: Promise.resolve() }
    this.#has.set(partition, assigned)
    const starting = this.#options?.startAt(topics.posts, partition).then((next) => {
      assigned.next = next
    })
    // Nothing is handed out before the start is known.
    assigned.inHand = Promise.resolve(starting).catch(() => undefined)
    await starting
  }

  /** Silently: it learns of it by `isCurrent`, or by nothing until `tell`. */
  lose(partition: number): void {
    const assigned = this.#has.get(partition)
    if (assigned !== undefined) assigned.isCurrent = false
  }

  tell(partition: number): void {
    this.lose(partition)
    this.#has.delete(partition)
    this.#options?.onLost?.(topics.posts, partition)
  }

  /** Hands out the next offsets when the batch before is done. `from` is where the last one ended unless told. */
  async deliver(partition: number, count: number, from?: number): Promise<void> {
    const assigned = this.#has.get(partition)
    if (assigned === undefined) return
    const delivering = assigned.inHand.then(async () => {
      const first = from ?? assigned.next
      const next = Math.min(first + count, this.#log.ends()[partition] ?? 0)
      if (next <= first || !assigned.isCurrent) return
      await this.#onBatch(this.#batch(partition, first, next, () => assigned.isCurrent))
      assigned.next = next
    })
    assigned.inHand = delivering.catch(() => undefined)
    await delivering
  }

  position(partition: number): number {
    return this.#has.get(partition)?.next ?? -1
  }

  #batch(partition: number, from: number, next: number, isCurrent: () => boolean): LogBatch {
    return {
      topic: topics.posts,
      partition,
      ...this.#log.read(partition, from, next),
      isCurrent,
    }
  }

  #consumer(): Consumer {
    return {
      pause: (_, partition) => this.paused.add(partition),
      resume: (_, partition) => this.paused.delete(partition),
      commit: async (_, partition, next) => {
        this.commits.push([partition, next])
      },
      progress: () =>
        [...this.#has].map(([partition, { next }]) => ({
          topic: topics.posts,
          partition,
          next,
          end: this.#log.ends()[partition],
        })),
      stop: async () => {},
    }
  }
}
