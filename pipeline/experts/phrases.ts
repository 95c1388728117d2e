/**
 * Finds phrases in a text: words in an order, with a few others between them, and whether a negator stands before them. Each phrase is a chain of states,
 * of which each waits for one of its words until a position in the text (Shift-And with gaps: Navarro and Raffinot, 2003). A word moves only the
 * states that it may fill, so the time is the number of words times a constant of the phrases, whatever the text.
 */

export interface PhraseElement {
  /** Any of these fills it: words in lower case, or one of `wordShapes`. */
  readonly words: readonly string[]
  /** Most words between the element before and this one. */
  readonly gap: number
}

export type Phrase = readonly PhraseElement[]

export interface PhraseMatch {
  /** Its index. */
  readonly phrase: number
  /** A negator is among the `negationReach` words before the phrase, in the same sentence. */
  readonly negated: boolean
}

/** What a number or symbol is called: which number it is says nothing. A percentage with a sign is a gain or a loss. */
export const wordShapes = ['<ticker>', '<number>', '<percent>', '<gain>', '<loss>'] as const

export const negationReach = 3
/** No gap and no negation reaches over the end of a sentence. */
const sentenceBreak = 1_000

interface State {
  readonly phrase: number
  readonly isFirst: boolean
  /** Most words before the next element; undefined for the last one. */
  readonly gapAfter: number | undefined
}

export class PhraseMatcher {
  /** Moves of states by the last text. */
  steps = 0

  readonly #states: readonly State[]
  /** By word, the later elements of a phrase first: one word fills one element. */
  readonly #statesOf = new Map<string, number[]>()
  readonly #negators: ReadonlySet<string>
  /** By state: the last position at which it may be filled, and whether its phrase began behind a negator. */
  readonly #openUntil: Int32Array
  readonly #negated: Uint8Array

  constructor(phrases: readonly Phrase[], negators: readonly string[]) {
    this.#negators = new Set(negators)
    this.#states = phrases.flatMap((elements, phrase) =>
      elements.map((_, i) => ({
        phrase,
        isFirst: i === 0,
        gapAfter: elements[i + 1]?.gap,
      })),
    )
    phrases.flat().forEach(({ words }, state) => {
      for (const word of new Set(words))
        this.#statesOf.set(word, [state, ...(this.#statesOf.get(word) ?? [])])
    })
    this.#openUntil = new Int32Array(this.#states.length)
    this.#negated = new Uint8Array(this.#states.length)
  }

  /** In the order of their ends; a phrase as often as it occurs. */
  find(text: string): PhraseMatch[] {
    this.#openUntil.fill(-1)
    this.steps = 0
    const matches: PhraseMatch[] = []
    let negatedUntil = -1
    let at = 0
    for (const word of wordsOf(text)) {
      if (word === sentenceEnd) {
        at += sentenceBreak
        continue
      }
      for (const state of this.#statesOf.get(word) ?? [])
        this.#fill(state, at, at <= negatedUntil, matches)
      if (this.#negators.has(word)) negatedUntil = at + negationReach
      at++
    }
    return matches
  }

  #fill(index: number, at: number, isNegated: boolean, matches: PhraseMatch[]): void {
    this.steps++
    const state = this.#states[index]
    if (state === undefined || (!state.isFirst && (this.#openUntil[index] ?? -1) < at)) return
    const negated = state.isFirst ? isNegated : this.#negated[index] === 1
    if (state.gapAfter === undefined) {
      matches.push({ phrase: state.phrase, negated })
      return
    }
    this.#openUntil[index + 1] = at + 1 + state.gapAfter
    this.#negated[index + 1] = Number(negated)
  }
}

const sentenceEnd = '.'
const words =
  /\$[a-z]{1,6}(?:\.[a-z])?(?![\p{L}\p{N}])|(?:(?<![\p{L}\p{N}%])[+\-−])?\p{Nd}[\p{Nd}.,]*%?|[\p{L}_][\p{L}\p{N}_]*(?:['&.-][\p{L}\p{N}_]+)*|\p{Extended_Pictographic}|[.!?;](?=\s|$)/gu

/** Words in lower case without a possessive `'s`, shapes instead of numbers and cashtags, and '.' where a sentence ends. */
export function* wordsOf(text: string): Generator<string> {
  for (const [found] of text.toLowerCase().replaceAll('’', "'").matchAll(words))
    yield shapeOf(found)
}

function shapeOf(word: string): string {
  const first = word[0] ?? ''
  if (first === '$') return '<ticker>'
  if ('.!?;'.includes(first)) return sentenceEnd
  if (/^[+\-−]?\p{Nd}/u.test(word)) {
    if (!word.endsWith('%')) return '<number>'
    if (first === '+') return '<gain>'
    return first === '-' || first === '−' ? '<loss>' : '<percent>'
  }
  return word.endsWith("'s") ? word.slice(0, -2) : word
}
