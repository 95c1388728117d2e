import { unlessAborted } from '../../infra/unless-aborted.ts'

/** What must not run while something else does: many pass at once, and whoever closes the gate waits until all are through. */
export class Gate {
  #inside = 0
  #closed: Promise<void> | undefined
  #onEmpty: () => void = () => {}

  /** Runs the work as soon as the gate is open. Rejects with the signal's reason when nobody waits for that any more. */
  async pass<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    while (this.#closed !== undefined) await unlessAborted(this.#closed, signal)
    this.#inside += 1
    try {
      return await work()
    } finally {
      this.#inside -= 1
      if (this.#inside === 0) this.#onEmpty()
    }
  }

  /** Runs the work while nobody is inside. One at a time. Opens at the latest when the signal is aborted, and rejects with its reason: the work then ends unheard. */
  async close<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    while (this.#closed !== undefined) await unlessAborted(this.#closed, signal)
    let open: () => void = () => {}
    this.#closed = new Promise((resolve) => {
      open = resolve
    })
    try {
      await unlessAborted(this.#empty(), signal)
      return await unlessAborted(work(), signal)
    } finally {
      this.#closed = undefined
      open()
    }
  }

  #empty(): Promise<void> {
    if (this.#inside === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }
}
