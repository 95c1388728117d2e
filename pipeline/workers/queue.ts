/**
 * Texts that wait for a worker: bounded, the most urgent first.
 *
 * Live texts are read before history; within each, the one that must begin first, then the one that came first. A call is taken whole or not at all,
 * so nobody pays for half a batch that is asked for again. One that is larger than the whole queue never fits: it is refused even by an empty queue,
 * as not retryable, because the bound is the memory that may be held.
 */
import { AppError } from '../../infra/errors.ts'
import type { Call } from '../experts/expert.ts'

export interface Queued {
  readonly priority: Call['priority']
  /** On the clock of the caller; Infinity for none. */
  readonly deadline: number
  /** Increases with every text that was ever added. */
  readonly arrival: number
  readonly bytes: number
}

export interface QueueLimits {
  readonly texts: number
  readonly bytes: number
}

export class TextQueue<T extends Queued> {
  readonly #limits: QueueLimits
  /** Each sorted by deadline, then arrival: what expires stands in front. */
  #waiting: Readonly<Record<Call['priority'], T[]>> = { live: [], history: [] }
  #bytes = 0

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get texts(): number {
    return this.#waiting.live.length + this.#waiting.history.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes all of a call's texts, or none and answers OVERLOADED. */
  add(texts: readonly T[]): AppError | undefined {
    const bytes = sumOfBytes(texts)
    if (texts.length > this.#limits.texts || bytes > this.#limits.bytes)
      return new AppError(
        'OVERLOADED',
        `${texts.length} texts of ${bytes} bytes are more than the whole queue holds (${this.#limits.texts} texts, ${this.#limits.bytes} bytes): ask for fewer at once`,
      )
    if (this.texts + texts.length > this.#limits.texts || this.#bytes + bytes > this.#limits.bytes)
      return new AppError(
        'OVERLOADED',
        `The queue holds ${this.texts} texts of ${this.#bytes} bytes and has no room for ${texts.length} more of ${bytes}`,
        { retryable: true },
      )
    this.putBack(texts)
    return undefined
  }

  /** Texts that were taken and not read. They were let in once, so no bound keeps them out, and they are as urgent as they were. */
  putBack(texts: readonly T[]): void {
    for (const text of texts) insert(this.#waiting[text.priority], text)
    this.#bytes += sumOfBytes(texts)
  }

  /** Removes the most urgent ones, while they fit both bounds; the first one always fits. */
  take(atMost: QueueLimits): T[] {
    const { live, history } = this.#waiting
    let texts = 0
    let bytes = 0
    while (texts < Math.min(this.texts, atMost.texts)) {
      const next = texts < live.length ? live[texts] : history[texts - live.length]
      bytes += next?.bytes ?? 0
      if (texts > 0 && bytes > atMost.bytes) break
      texts++
    }
    const fromLive = Math.min(texts, live.length)
    return this.#removed([...live.splice(0, fromLive), ...history.splice(0, texts - fromLive)])
  }

  /** Removes those whose deadline has come. */
  expire(now: number): T[] {
    return this.#removed(
      Object.values(this.#waiting).flatMap((sorted) => sorted.splice(0, countExpired(sorted, now))),
    )
  }

  /** Removes and returns those that are so, however urgent. */
  remove(isSo: (text: T) => boolean): T[] {
    const { live, history } = this.#waiting
    const isNotSo = (text: T) => !isSo(text)
    this.#waiting = { live: live.filter(isNotSo), history: history.filter(isNotSo) }
    return this.#removed([...live, ...history].filter(isSo))
  }

  /** Removes all. */
  clear(): T[] {
    return this.expire(Number.POSITIVE_INFINITY)
  }

  /** Infinity when nothing waits, or nothing has a deadline. */
  nextDeadline(): number {
    const { live, history } = this.#waiting
    const none = Number.POSITIVE_INFINITY
    return Math.min(live[0]?.deadline ?? none, history[0]?.deadline ?? none)
  }

  #removed(texts: T[]): T[] {
    this.#bytes -= sumOfBytes(texts)
    return texts
  }
}

/** From the back: with one deadline for all, what comes last is the least urgent. */
function insert<T extends Queued>(sorted: T[], text: T): void {
  let at = sorted.length
  while (at > 0 && isMoreUrgent(text, sorted[at - 1])) at--
  sorted.splice(at, 0, text)
}

function isMoreUrgent(a: Queued, b: Queued | undefined): boolean {
  if (b === undefined) return false
  return a.deadline === b.deadline ? a.arrival < b.arrival : a.deadline < b.deadline
}

function countExpired(sorted: readonly Queued[], now: number): number {
  const kept = sorted.findIndex(({ deadline }) => deadline > now)
  return kept === -1 ? sorted.length : kept
}

function sumOfBytes(texts: readonly Queued[]): number {
  return texts.reduce((sum, { bytes }) => sum + bytes, 0)
}
