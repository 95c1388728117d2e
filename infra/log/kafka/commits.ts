/**
 * What is committed of one partition. A commit is a hint, as readers go on where they say themselves: it never keeps the partition waiting for
 * longer than `patienceMs`, although the client goes on trying for many seconds while the group's coordinator is away. One is on its way at a
 * time, and what is asked for meanwhile is told with the next.
 */
import { setTimeout as delay } from 'node:timers/promises'

const patienceMs = 1_000

export interface CommitsDeps {
  /** Rejects where the broker did not take it. */
  send(next: number): Promise<void>
  onFailed(next: number, error: unknown): void
  /** Whether nothing may be committed any more. */
  isOver(): boolean
}

export class Commits {
  readonly #deps: CommitsDeps
  #wanted = 0
  #sending = false

  constructor(deps: CommitsDeps) {
    this.#deps = deps
  }

  /** Resolves when the broker has answered, or takes too long. Never rejects. */
  async commit(next: number): Promise<void> {
    this.#wanted = next
    if (this.#sending) return
    const done = new AbortController()
    const late = delay(patienceMs, undefined, { signal: done.signal }).catch(() => undefined)
    await Promise.race([this.#sendAll(), late])
    done.abort()
  }

  async #sendAll(): Promise<void> {
    const { send, onFailed, isOver } = this.#deps
    this.#sending = true
    for (let sent = -1; sent !== this.#wanted && !isOver(); ) {
      sent = this.#wanted
      await send(sent).catch((error: unknown) => onFailed(sent, error))
    }
    this.#sending = false
  }
}
