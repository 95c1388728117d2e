/** Which language a text in Latin letters is in: what the n-grams of its distinctive words say for another language against English. */
import { eld } from 'eld/extrasmall'
import { distinctiveWords } from './distinctive-words.ts'

/** Posts about markets in other Latin-script languages are nearly all in one of these. Each further one costs: Tagalog took Indian names, Malay slang. */
const others = 'cs da de es fi fr hu it nl no pl pt ro sv tr'.split(' ')
const english = 'en'

const detector = eld.newInstance()
detector.setLanguageSubset([english, ...others])

/** The detector reads 350 bytes. */
const readLength = 300

/**
 * Logistic fit of "not English" on the evidence: 28,228 English market texts against 7,944 in six other languages, both classes weighed alike.
 * How it was fitted and what the bound costs: docs/decisions/0057-language.md.
 */
const midpoint = 5.6
const scale = 2.2
/** A language other than English below this confidence is not believed: the text counts as English. */
const leastConfidence = 0.97

export interface DetectedLanguage {
  /** BCP 47. */
  readonly language: string
  /** 0..1, see `detectLanguage`. */
  readonly confidence: number
}

/** Of a text without tags: English, or another language of which the words leave almost no doubt. A text without words tells nothing: English, at 0.93. */
export function latinLanguage(text: string): DetectedLanguage {
  const { language, evidence } = evidenceAgainstEnglish(distinctiveWords(text))
  const confidence = 1 / (1 + Math.exp((midpoint - evidence) / scale))
  return confidence < leastConfidence
    ? { language: english, confidence: 1 - confidence }
    : { language, confidence }
}

/**
 * The best other language, and how much more its n-grams weigh than those of English. The detector's score is a mean weight m of the text's
 * n-grams, given as m / (m + constant): its odds times the number of n-grams is their sum, so that a long text says more than a short one.
 */
function evidenceAgainstEnglish(words: readonly string[]): { language: string; evidence: number } {
  const read = words.join(' ').slice(0, readLength)
  const scores = detector.detect(read).getScores()
  let best = { language: english, odds: 0 }
  for (const language of others) {
    const odds = oddsOf(scores[language])
    if (odds > best.odds) best = { language, odds }
  }
  const ngrams = read.split(' ').reduce((sum, word) => sum + ngramsOf(word), 0)
  return { language: best.language, evidence: (best.odds - oddsOf(scores[english])) * ngrams }
}

function oddsOf(score = 0): number {
  return score / (1 - score)
}

/** The detector cuts a word into pieces of four letters, each three after the last. */
function ngramsOf(word: string): number {
  return Math.max(1, Math.ceil((word.length - 1) / 3))
}
