/** For tests: a clock that only sleeping moves, so that days pass at once. */
import type { Sleep } from './replay.ts'

export class VirtualTime {
  now: number
  longestSleepMs = 0

  constructor(startMs: number) {
    this.now = startMs
  }

  readonly clock = () => this.now

  readonly sleep: Sleep = async (ms, signal) => {
    signal?.throwIfAborted()
    this.longestSleepMs = Math.max(this.longestSleepMs, ms)
    this.now += ms
  }
}
