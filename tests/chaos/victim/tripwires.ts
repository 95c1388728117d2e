/** The faults of one life, each waiting for its point; and the end of that life, for all who are at work in it. */
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../../infra/errors.ts'
import { unlessAborted } from '../../../infra/unless-aborted.ts'
import type { Fault, Point } from '../faults.ts'

export interface TripwireHooks {
  /** Before anything happens, so that it is known also when the process dies of it. */
  onStruck(fault: Fault): void
  /** The life ends here; the process goes on. */
  onCrash(): void
  /** Lets go of what earlier lives held back. */
  release(): void
  jumpProcessClock(byMs: number): void
  jumpLogClock(byMs: number): void
}

export class Tripwires {
  readonly #faults: Set<Fault>
  readonly #hooks: TripwireHooks
  readonly #reached = new Map<Point, number>()
  readonly #end = new AbortController()

  constructor(faults: readonly Fault[], hooks: TripwireHooks) {
    this.#faults = new Set(faults)
    this.#hooks = hooks
  }

  get ended(): boolean {
    return this.#end.signal.aborted
  }

  /** From now on nobody in this life gets an answer any more. */
  crash(): void {
    if (this.ended) return
    this.#end.abort(new AppError('LOG', 'The life has ended'))
    this.#hooks.onCrash()
  }

  /** Ends with the life. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#end
    signal.throwIfAborted()
    return unlessAborted(work(), signal)
  }

  /** Counts the point as reached, does what each fault of it does, and returns those that whoever asks must do himself. */
  async reach(point: Point): Promise<readonly Fault[]> {
    const times = (this.#reached.get(point) ?? 0) + 1
    this.#reached.set(point, times)
    const struck = [...this.#faults].filter((fault) => fault.point === point && fault.nth === times)
    const left: Fault[] = []
    for (const fault of struck) {
      this.#faults.delete(fault)
      this.#hooks.onStruck(fault)
      if (!(await this.#perform(fault))) left.push(fault)
    }
    return left
  }

  async #perform({ action, amount }: Fault): Promise<boolean> {
    switch (action) {
      case 'kill':
        process.kill(process.pid, 'SIGKILL')
        return true
      case 'pause':
        process.kill(process.pid, 'SIGSTOP')
        return true
      case 'crash':
        this.crash()
        throw this.#end.signal.reason
      case 'delay':
        await delay(amount)
        return true
      case 'release':
        this.#hooks.release()
        return true
      case 'process-clock':
        this.#hooks.jumpProcessClock(amount)
        return true
      case 'log-clock':
        this.#hooks.jumpLogClock(amount)
        return true
      default:
        return false
    }
  }
}
