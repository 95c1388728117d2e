/**
 * Which text ended its worker? A job whose worker died is split in halves, and each half is tried alone: as the only job in hand of a worker that has
 * read nothing but suspects. A half whose worker lives is answered and cleared; one whose worker dies is split again, down to the text that kills.
 * A text is lethal when two workers died while they read it and no other: one death can be chance (somebody's kill -9, memory that ran out elsewhere).
 */
import type { PendingText } from './pending-call.ts'

type Group = readonly PendingText[]

export interface Verdict {
  /** Groups to try next, each alone. */
  readonly trials: readonly Group[]
  readonly lethal: readonly PendingText[]
}

const deathsToConvict = 2

/** What a death makes of the texts that the worker was reading. */
export function judgeDeath(texts: Group): Verdict {
  const [first, ...others] = texts
  if (first === undefined) return { trials: [], lethal: [] }
  if (others.length > 0) return { trials: halves(texts), lethal: [] }
  const tried = { ...first, deathsAlone: first.deathsAlone + 1 }
  if (tried.deathsAlone >= deathsToConvict) return { trials: [], lethal: [tried] }
  return { trials: [[tried]], lethal: [] }
}

function halves(texts: Group): Group[] {
  const middle = texts.length >> 1
  return [texts.slice(0, middle), texts.slice(middle)]
}

/** Suspects that wait for their trial, oldest first: large groups before their halves, so that most of the innocent are cleared early. */
export class Suspects {
  #groups: Group[] = []

  get isEmpty(): boolean {
    return this.#groups.length === 0
  }

  /** Takes the texts of a job whose worker died; returns those that are lethal. */
  add(texts: Group): readonly PendingText[] {
    const { trials, lethal } = judgeDeath(texts)
    this.#groups.push(...trials)
    return lethal
  }

  next(): Group | undefined {
    return this.#groups.shift()
  }

  /** Removes those whose deadline has come. */
  expire(now: number): PendingText[] {
    const texts = this.#groups.flat()
    const late = texts.filter(({ deadline }) => deadline <= now)
    if (late.length === 0) return late
    this.#groups = this.#groups
      .map((group) => group.filter(({ deadline }) => deadline > now))
      .filter((group) => group.length > 0)
    return late
  }

  /** Removes all. */
  clear(): PendingText[] {
    return this.#groups.splice(0).flat()
  }

  /** Infinity when there is none. */
  nextDeadline(): number {
    return Math.min(...this.#groups.flat().map(({ deadline }) => deadline))
  }
}
