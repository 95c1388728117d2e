/** Of each phrase of the expert `guidance`: how many texts have it, and how many of those have the label of its direction. */
import type { Sentiment } from '../contract.ts'
import { sentiments } from '../contract.ts'
import type { Direction, GuidanceTables } from '../experts/guidance-patterns.ts'
import { PhraseMatcher } from '../experts/phrases.ts'
import { cleanOpening } from '../text/clean.ts'
import type { Example } from './dataset.ts'

export interface PhraseFigures {
  readonly group: string
  readonly direction: Direction
  readonly phrase: string
  /** Texts that have it without a negation. */
  readonly texts: number
  /** Of these, those with the label of the direction. */
  readonly right: number
}

export interface GuidanceFigures {
  readonly rows: number
  /** Texts with any phrase, negated or not. */
  readonly covered: number
  readonly phrases: readonly PhraseFigures[]
}

const labelOf: Readonly<Record<Direction, Sentiment>> = {
  up: 'positive',
  flat: 'neutral',
  down: 'negative',
}

export function guidanceFigures(
  { patterns, negators }: GuidanceTables,
  rows: readonly Example[],
): GuidanceFigures {
  const matcher = new PhraseMatcher(
    patterns.map(({ phrase }) => phrase),
    negators,
  )
  const found = rows.map(({ text, sentiment }) => ({
    label: sentiments[sentiment],
    matches: matcher.find(cleanOpening(text)),
  }))
  const phrases = patterns.map(({ group, direction, written }, phrase) => {
    const having = found.filter(({ matches }) =>
      matches.some((match) => match.phrase === phrase && !match.negated),
    )
    const right = having.filter(({ label }) => label === labelOf[direction]).length
    return { group, direction, phrase: written, texts: having.length, right }
  })
  const covered = found.filter(({ matches }) => matches.length > 0).length
  return { rows: rows.length, covered, phrases }
}
