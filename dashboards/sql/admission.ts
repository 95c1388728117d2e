/** Lets `running` tasks run at a time and `waiting` more wait their turn, in order; refuses the rest. */
export class Admission {
  readonly #limits: { readonly running: number; readonly waiting: number }
  readonly #queue: (() => void)[] = []
  #running = 0

  constructor(limits: { readonly running: number; readonly waiting: number }) {
    this.#limits = limits
  }

  get isFull(): boolean {
    return this.#queue.length >= this.#limits.waiting
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limits.running) this.#running++
    else await new Promise<void>((resolve) => this.#queue.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#queue.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
