/**
 * Whether a member's heartbeats fail, asked before each fetch. A process that was suspended has missed none yet: the time that counts begins
 * with the first fetch that finds the broker silent.
 */
export class HeartbeatWatch {
  readonly #silentMs: number
  readonly #missedMs: number
  readonly #monotonic: () => number
  #heardAt: number
  #missingSince: number | undefined

  constructor(sessionTimeoutMs: number, monotonic: () => number) {
    this.#silentMs = sessionTimeoutMs / 4
    this.#missedMs = sessionTimeoutMs / 8
    this.#monotonic = monotonic
    this.#heardAt = monotonic()
  }

  heard(): void {
    this.#heardAt = this.#monotonic()
    this.#missingSince = undefined
  }

  /** True once, then counts anew. */
  areMissed(): boolean {
    const now = this.#monotonic()
    if (now - this.#heardAt < this.#silentMs) return false
    this.#missingSince ??= now
    if (now - this.#missingSince < this.#missedMs) return false
    this.heard()
    return true
  }
}

/** The client answers this one by asking for the coordinator and joining with the same member, which the others need not wait for. */
export function coordinatorLost(): Error {
  return Object.assign(new Error('the coordinator of the group does not answer'), {
    type: 'NOT_COORDINATOR_FOR_GROUP',
  })
}
