/** Plays posts into a sink at the times of their schedule. */
import { setTimeout as timer } from 'node:timers/promises'
import type { Clock } from '../infra/clock.ts'
import type { Post } from './contract.ts'
import type { SourceRow } from './replay-file.ts'
import { createScheduler, type Plan } from './schedule.ts'

/** What became of one post: undefined when it was accepted, else why it was refused. */
export type Refusal = string | undefined

export interface Sink {
  /** One answer a post, in order. Tries again by itself where that can help; throws an AppError where it does not. */
  send(posts: readonly Post[], signal?: AbortSignal): Promise<readonly Refusal[]>
}

/** Resolves after `ms`; rejects when the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

export const realSleep: Sleep = (ms, signal) => timer(ms, undefined, signal && { signal })

export interface Progress {
  accepted: number
  refused: number
  /** Outside the chosen time. */
  skipped: number
  /** Bytes of the source that are played. */
  bytes: number
  /** Source time of the newest post sent. */
  sourceTime: string | undefined
}

export interface ReplaySummary extends Progress {
  /** The signal ended the replay before its last post. */
  readonly interrupted: boolean
}

export interface Refused {
  readonly line: number
  readonly reason: string
}

export interface ReplayOptions {
  readonly rows: AsyncIterable<readonly SourceRow[]>
  readonly sink: Sink
  readonly plan: Plan
  readonly clock: Clock
  readonly sleep?: Sleep
  readonly signal?: AbortSignal | undefined
  readonly batchPosts?: number
  onProgress?(progress: Readonly<Progress>): void
  onRefused?(refused: Refused): void
}

/** Node's timers hold no longer wait than 24.8 days. */
const longestSleepMs = 86_400_000

/** Refused rows are reported and left out; the others go on. Rejects when the sink gives up. */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const player = new Player(options)
  try {
    await player.play()
    return { ...player.progress, interrupted: false }
  } catch (error) {
    if (!isAbort(error) || options.signal?.aborted !== true) throw error
    return { ...player.progress, interrupted: true }
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

interface Entry {
  readonly row: SourceRow
  readonly post: Post
  readonly sourceTime: string
}

class Player {
  readonly #options: ReplayOptions
  readonly #sleep: Sleep
  readonly #batchPosts: number
  readonly progress: Progress = {
    accepted: 0,
    refused: 0,
    skipped: 0,
    bytes: 0,
    sourceTime: undefined,
  }
  #batch: Entry[] = []

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#sleep = options.sleep ?? realSleep
    this.#batchPosts = options.batchPosts ?? 500
  }

  async play(): Promise<void> {
    const schedule = createScheduler(this.#options.plan)
    for await (const rows of this.#options.rows) {
      for (const row of rows) await this.#playRow(row, schedule)
    }
    await this.#flush()
  }

  async #playRow(row: SourceRow, schedule: ReturnType<typeof createScheduler>): Promise<void> {
    this.#options.signal?.throwIfAborted()
    if (!row.ok) return this.#refuse(row, row.reason)
    const placement = schedule(row.post)
    if (placement === 'disordered')
      return this.#refuse(row, 'publishedAt: before the row above; sort the file by time')
    if (placement === 'outside') {
      this.progress.skipped++
      return
    }
    if (placement.dueMs > this.#options.clock()) {
      await this.#flush()
      await this.#waitUntil(placement.dueMs)
    }
    this.#batch.push({ row, post: placement.post, sourceTime: row.post.publishedAt })
    if (this.#batch.length >= this.#batchPosts) await this.#flush()
  }

  #refuse(row: SourceRow, reason: string): void {
    this.progress.refused++
    this.#options.onRefused?.({ line: row.line, reason })
  }

  async #waitUntil(dueMs: number): Promise<void> {
    for (;;) {
      const ms = Math.ceil(dueMs - this.#options.clock())
      if (ms <= 0) return
      await this.#sleep(Math.min(ms, longestSleepMs), this.#options.signal)
    }
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    const last = batch.at(-1)
    if (last === undefined) return
    this.#batch = []
    const refusals = await this.#options.sink.send(
      batch.map(({ post }) => post),
      this.#options.signal,
    )
    batch.forEach(({ row }, index) => {
      const reason = refusals[index]
      if (reason === undefined) this.progress.accepted++
      else this.#refuse(row, reason)
    })
    this.progress.bytes = last.row.end
    this.progress.sourceTime = last.sourceTime
    this.#options.onProgress?.(this.progress)
  }
}
