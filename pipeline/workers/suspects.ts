/**
 * Which text ended its worker? A job whose worker died is split in halves, and each half is tried alone: as the only job in hand of a worker that has
 * read nothing but suspects, where one can be had (workers start). A half whose worker lives is answered and cleared; one whose worker dies is split again, down to the text that kills.
 * A text is lethal when two workers died while they read it and no other: one death can be chance (somebody's kill -9, memory that ran out elsewhere).
 * A worker that was late is a death like another when it split a job, but convicts only where it had the patience of a trial: a machine with too
 * much to do makes any text late.
 */
import type { PendingText } from './pending-call.ts'
import type { Job, WorkerEnd } from './worker-handle.ts'

type Group = readonly PendingText[]

interface Verdict {
  /** Groups to try next, each alone. */
  readonly trials: readonly Group[]
  readonly lethal: PendingText | undefined
}

const deathsToConvict = 2

/** What a death makes of those of the job's texts that are still `wanted`. */
function judgeDeath(job: Job, wanted: Group, wasLate: boolean): Verdict {
  const [first, ...others] = wanted
  if (first === undefined) return { trials: [], lethal: undefined }
  if (others.length > 0) return { trials: halves(wanted), lethal: undefined }
  const wasAlone = job.texts.length === 1
  if (!wasAlone || (wasLate && !job.isTrial)) return { trials: [[first]], lethal: undefined }
  const tried = { ...first, deathsAlone: first.deathsAlone + 1 }
  if (tried.deathsAlone >= deathsToConvict) return { trials: [], lethal: tried }
  return { trials: [[tried]], lethal: undefined }
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

  /** Takes those of a dead worker's job that are still wanted; returns one that is lethal. */
  add(job: Job, wanted: Group, { wasLate }: Pick<WorkerEnd, 'wasLate'>): PendingText | undefined {
    const { trials, lethal } = judgeDeath(job, wanted, wasLate)
    this.#groups.push(...trials)
    return lethal
  }

  next(): Group | undefined {
    return this.#groups.shift()
  }

  /** Removes and returns those that are so. */
  remove(isSo: (text: PendingText) => boolean): PendingText[] {
    const removed = this.#groups.flat().filter(isSo)
    if (removed.length > 0)
      this.#groups = this.#groups
        .map((group) => group.filter((text) => !isSo(text)))
        .filter((group) => group.length > 0)
    return removed
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
