/**
 * Finds the items of a batch that make it fail, so that the others are answered.
 *
 * A batch that fails is cut in halves and each half is tried by itself, down to the item that fails alone: log2 steps for one of them. An item is
 * poison when it fails alone twice, as one failure can be chance, and while something that nothing is wrong with (`witness`) is answered: a
 * failure that hits the witness too, or many different items and none answered between them, is no item's fault. That one is thrown, and the log keeps the records.
 */

export interface Trial<T, A> {
  /** One answer an item, in order. */
  attempt(items: readonly T[]): Promise<readonly A[]>
  /** Whether one of the items can be the cause of this failure; any other is thrown at once. */
  canBePoison(error: unknown): boolean
  readonly witness: T
  /** Items of one text count as one in the judgement of what hits everything. */
  textOf(item: T): string
}

export type Finding<A> = { readonly answer: A } | { readonly poison: unknown }

/** So many different items that fail, and none that does not: nothing is wrong with them. */
export const hitsEverything = 16

/** One finding an item, in order. Throws what is no item's fault. */
export async function answerApart<T, A>(
  items: readonly T[],
  trial: Trial<T, A>,
): Promise<readonly Finding<A>[]> {
  const first = await attemptOf(trial, items)
  if (first.ok) return answered(first.answers)
  const witness = await attemptOf(trial, [trial.witness])
  if (!witness.ok) throw first.error
  return new Search(trial, first.error).split(items)
}

type Attempt<A> =
  | { readonly ok: true; readonly answers: readonly A[] }
  | { readonly ok: false; readonly error: unknown }

async function attemptOf<T, A>(trial: Trial<T, A>, items: readonly T[]): Promise<Attempt<A>> {
  try {
    return { ok: true, answers: await trial.attempt(items) }
  } catch (error) {
    if (!trial.canBePoison(error)) throw error
    return { ok: false, error }
  }
}

function answered<A>(answers: readonly A[]): Finding<A>[] {
  return answers.map((answer) => ({ answer }))
}

class Search<T, A> {
  readonly #trial: Trial<T, A>
  readonly #firstError: unknown
  readonly #failing = new Set<string>()
  #someAnswered = false

  constructor(trial: Trial<T, A>, firstError: unknown) {
    this.#trial = trial
    this.#firstError = firstError
  }

  /** Of items that failed together. */
  async split(items: readonly T[]): Promise<Finding<A>[]> {
    const [only, another] = items
    if (only === undefined) return []
    if (another === undefined) return [await this.#again(only)]
    const middle = items.length >> 1
    return [...(await this.#try(items.slice(0, middle))), ...(await this.#try(items.slice(middle)))]
  }

  async #try(items: readonly T[]): Promise<Finding<A>[]> {
    const attempt = await attemptOf(this.#trial, items)
    if (!attempt.ok) return this.split(items)
    this.#someAnswered = true
    return answered(attempt.answers)
  }

  /** The second time that it is alone. */
  async #again(item: T): Promise<Finding<A>> {
    const attempt = await attemptOf(this.#trial, [item])
    const [answer] = attempt.ok ? attempt.answers : []
    if (answer !== undefined) {
      this.#someAnswered = true
      return { answer }
    }
    this.#failing.add(this.#trial.textOf(item))
    if (!this.#someAnswered && this.#failing.size >= hitsEverything) throw this.#firstError
    return { poison: attempt.ok ? this.#firstError : attempt.error }
  }
}
