/** Where sources hand over what they read: posts to the log, the rest to `posts.dead`. */
import { chunksWithin } from '../../infra/chunks.ts'
import type { Clock } from '../../infra/clock.ts'
import { type Log, type NewRecord, topics } from '../../infra/log/log.ts'
import { appendPatiently } from '../append.ts'
import { type DeadLetter, maxPayloadBytes, type Post, parsePost } from '../contract.ts'
import type { Sleep } from '../replay.ts'

export interface Row {
  /** `source:NAME/partition/offset`: a repeat of the same thing has the same. Key of its dead letter. */
  readonly origin: string
  readonly source: string
  readonly raw: string | Uint8Array
  readonly read:
    | { readonly ok: true; readonly candidate: unknown }
    | { readonly ok: false; readonly reason: string }
}

export interface Delivered {
  readonly accepted: number
  readonly refused: number
}

export interface Delivery {
  /**
   * Checks candidates against the contract and takes them in their order; resolves when all are durable. Waits while the log is full:
   * rejects with the signal's reason when that is aborted first, and with what waiting cannot repair.
   */
  deliver(rows: readonly Row[], signal: AbortSignal): Promise<Delivered>
}

export interface Judged {
  readonly posts: readonly Post[]
  readonly refused: readonly { readonly row: Row; readonly reason: string }[]
}

const chunkRecords = 500
const chunkBytes = 1_048_576

export function createLogDelivery(deps: {
  readonly log: Pick<Log, 'append'>
  readonly clock: Clock
  readonly sleep?: Sleep | undefined
}): Delivery {
  const { log, clock, sleep } = deps
  const append = async (topic: string, records: readonly NewRecord[], signal: AbortSignal) => {
    for (const chunk of chunksOf(records)) {
      signal.throwIfAborted()
      await appendPatiently({ log, topic, records: chunk, signal, sleep })
    }
  }
  return {
    async deliver(rows, signal) {
      const nowMs = clock()
      const { posts, refused } = judge(rows, nowMs)
      const letters = refused.map(({ row, reason }) => letterOf(row, reason, nowMs))
      await append(
        topics.dead,
        letters.map((letter) => ({ key: letter.origin, value: JSON.stringify(letter) })),
        signal,
      )
      await append(
        topics.posts,
        posts.map((post) => ({ key: post.id, value: JSON.stringify(post) })),
        signal,
      )
      return { accepted: posts.length, refused: refused.length }
    },
  }
}

export function judge(rows: readonly Row[], nowMs: number): Judged {
  const posts: Post[] = []
  const refused: { row: Row; reason: string }[] = []
  for (const row of rows) {
    const result = row.read.ok ? parsePost(row.read.candidate, nowMs) : row.read
    if (result.ok) posts.push(result.post)
    else refused.push({ row, reason: result.reason })
  }
  return { posts, refused }
}

function letterOf({ origin, source, raw }: Row, reason: string, nowMs: number): DeadLetter {
  const bytes = typeof raw === 'string' ? Buffer.from(raw) : raw
  return {
    origin,
    source,
    reason,
    class: 'invalid',
    payload: new TextDecoder().decode(bytes.subarray(0, maxPayloadBytes)),
    payloadBytes: bytes.byteLength,
    appendedAt: new Date(nowMs).toISOString(),
  }
}

function chunksOf(records: readonly NewRecord[]): Generator<readonly NewRecord[]> {
  const most = { count: chunkRecords, size: chunkBytes }
  return chunksWithin(records, most, ({ value }) => value.length)
}
