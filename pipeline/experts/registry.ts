/** The experts this build has, loaded and verified. */
import type { Expert } from './expert.ts'
import { createLexiconExpert, readLexicon } from './lexicon.ts'
import { createLinearExpert, readLinear } from './linear.ts'

/** Throws `MODEL` when an artifact is missing or damaged: a monitor with half its experts by accident would go unseen. */
export function loadExperts(): Expert[] {
  return [createLinearExpert(readLinear()), createLexiconExpert(readLexicon())]
}
