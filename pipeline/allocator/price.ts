/** What a run of an expert costs, and what a millisecond of compute is worth at the moment. */

export interface Costs {
  /** Estimated compute of one run of the expert on a text, milliseconds of one core. */
  msOf(expert: string, textLength: number): number
}

export interface Budget {
  /** What a millisecond must gain to be worth it: probability of a right verdict a millisecond. Follows what was spent, and the backlog. Infinite while overloaded. */
  price(): number
  /** The price without the backlog: what the budget alone asks. Infinite where it pays for nothing but the cheapest. */
  normalPrice(): number
  /** By the backlog alone. No expert but the cheapest may run: rows say `degraded`. */
  isOverloaded(): boolean
  /** After a batch: what its posts cost together. */
  spent(posts: number, ms: number): void
  /** How far the pipeline is behind the log: posts that wait, and the age of the oldest. */
  waiting(posts: number, oldestMs: number): void
}
