/** Drawing by chance from a seeded source. */
export class Draw {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  oneOf<T>(all: readonly T[]): T {
    const found = all[this.integer(0, all.length - 1)]
    if (found === undefined) throw new RangeError('nothing to draw from')
    return found
  }
}
