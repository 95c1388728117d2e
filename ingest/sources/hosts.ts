/** Politeness: one request a host at a time, with a pause between two, and none while the host asks to be left alone. */
import type { Clock } from '../../infra/clock.ts'
import type { Sleep } from '../replay.ts'
import { SourceError } from './source.ts'

interface Host {
  last: Promise<unknown>
  endedMs: number
  heldUntilMs: number
}

/** Held longer than this, a host is not waited for: the reading fails and comes again. */
const longestWaitMs = 10_000

export class Hosts {
  readonly #clock: Clock
  readonly #sleep: Sleep
  readonly #hosts = new Map<string, Host>()

  constructor(deps: { readonly clock: Clock; readonly sleep: Sleep }) {
    this.#clock = deps.clock
    this.#sleep = deps.sleep
  }

  /** Runs `request` when it is the host's turn. Rejects with SOURCE while the host is held. */
  async visit<T>(
    host: string,
    options: { readonly minIntervalMs: number; readonly signal: AbortSignal },
    request: () => Promise<T>,
  ): Promise<T> {
    const entry = this.#entry(host)
    const turn = entry.last.then(async () => {
      options.signal.throwIfAborted()
      const now = this.#clock()
      if (entry.heldUntilMs - now > longestWaitMs)
        throw new SourceError(`${host} asked to be left alone until ${at(entry.heldUntilMs)}`, {
          retryAtMs: entry.heldUntilMs,
        })
      const waitMs = Math.max(entry.heldUntilMs, entry.endedMs + options.minIntervalMs) - now
      if (waitMs > 0) await this.#sleep(waitMs, options.signal)
      try {
        return await request()
      } finally {
        entry.endedMs = this.#clock()
      }
    })
    entry.last = turn.catch(() => undefined)
    return turn
  }

  hold(host: string, untilMs: number): void {
    const entry = this.#entry(host)
    entry.heldUntilMs = Math.max(entry.heldUntilMs, untilMs)
  }

  #entry(host: string): Host {
    const known = this.#hosts.get(host)
    if (known !== undefined) return known
    const entry = { last: Promise.resolve(), endedMs: -Infinity, heldUntilMs: -Infinity }
    this.#hosts.set(host, entry)
    return entry
  }
}

const at = (ms: number): string => new Date(ms).toISOString()
