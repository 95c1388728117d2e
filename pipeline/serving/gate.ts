/** What must not run while something else does: many pass at once, and whoever closes the gate waits until all are through. */
export class Gate {
  #inside = 0
  #closed: Promise<void> | undefined
  #onEmpty: () => void = () => {}

  /** Runs the work as soon as the gate is open. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed
    this.#inside += 1
    try {
      return await work()
    } finally {
      this.#inside -= 1
      if (this.#inside === 0) this.#onEmpty()
    }
  }

  /** Runs the work while nobody is inside. One at a time. */
  async close<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed
    let open: () => void = () => {}
    this.#closed = new Promise((resolve) => {
      open = resolve
    })
    try {
      if (this.#inside > 0)
        await new Promise<void>((resolve) => {
          this.#onEmpty = resolve
        })
      return await work()
    } finally {
      this.#closed = undefined
      open()
    }
  }
}
