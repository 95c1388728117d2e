/**
 * Which text ended its worker? A job whose worker died is split in halves, and each half is tried alone: as the only job in hand of a worker that has
 * read nothing but suspects. A half whose worker lives is answered and cleared; one whose worker dies is split again, down to the text that kills.
 * A text is lethal when two workers died while they read it and no other: one death can be chance (somebody's kill -9, memory that ran out elsewhere).
 */
import type { PendingText } from './pending-call.ts'

export interface Suspicion {
  /** Groups to try next, each alone. */
  readonly trials: readonly (readonly PendingText[])[]
  readonly lethal: readonly PendingText[]
}

const deathsToConvict = 2

/** What a death makes of the texts that the worker was reading. Those nobody waits for any more are let go. */
export function suspect(texts: readonly PendingText[]): Suspicion {
  const [first, ...others] = texts
  if (first === undefined) return { trials: [], lethal: [] }
  if (others.length > 0) return { trials: halves(texts), lethal: [] }
  const tried = { ...first, deathsAlone: first.deathsAlone + 1 }
  if (tried.deathsAlone >= deathsToConvict) return { trials: [], lethal: [tried] }
  return { trials: [[tried]], lethal: [] }
}

function halves(texts: readonly PendingText[]): PendingText[][] {
  const middle = texts.length >> 1
  return [texts.slice(0, middle), texts.slice(middle)]
}
