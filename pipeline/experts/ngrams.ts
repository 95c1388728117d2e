/**
 * Hashed n-grams of a cleaned text: words (with their `#`, `@`, `%`), pairs of words with a few between them, and characters across word borders;
 * lower case, every digit a `0`, every cashtag the same one: which company a text names says nothing about its tone.
 * Words fill the lower buckets and characters the upper ones, so that the two never collide. One pass over UTF-16 code units, nothing allocated.
 */

export interface NgramSpec {
  /** log2 of the number of buckets of each family. */
  readonly wordBits: number
  readonly charBits: number
  /** Longest word n-gram. */
  readonly wordLength: number
  /** Most words between the two of a pair; a pair is the same at any distance. */
  readonly pairGap: number
  /** Shortest and longest character n-gram. */
  readonly charFrom: number
  readonly charTo: number
}

export function bucketCount(spec: NgramSpec): number {
  return 2 ** spec.wordBits + 2 ** spec.charBits
}

const cashtags = /\$[a-z][a-z.]{0,5}\b/g

const space = 0
const symbol = 1
const word = 2

/** What each code unit is. Surrogates count as symbols, so half an emoji is one too. */
const unitClasses = Uint8Array.from({ length: 0x10000 }, (_, unit) => {
  const character = String.fromCharCode(unit)
  if (/[\p{L}\p{M}\p{N}_]/u.test(character)) return word
  return /[\s\p{Cc}]/u.test(character) ? space : symbol
})
const isPrefix = flags('$#@')
const isJoint = flags("'’.&-")
const zero = '0'.charCodeAt(0)
const nine = '9'.charCodeAt(0)
const blank = ' '.charCodeAt(0)
const percent = '%'.charCodeAt(0)

const wordSeed = 0x811c9dc5
const charSeed = 0x2f0b4c47
const edge = 0x3c6ef372

export class NgramExtractor {
  /** Buckets of the last text, valid up to `count`; a repeated n-gram stands there as often as it occurs. */
  buckets = new Int32Array(4_096)
  count = 0

  readonly #spec: NgramSpec
  readonly #wordMask: number
  readonly #charMask: number
  readonly #charOffset: number
  #units = new Uint16Array(2_048)
  /** Hashes of the last words, the newest at 0. */
  readonly #recent: Int32Array

  constructor(spec: NgramSpec) {
    this.#spec = spec
    this.#wordMask = 2 ** spec.wordBits - 1
    this.#charMask = 2 ** spec.charBits - 1
    this.#charOffset = 2 ** spec.wordBits
    this.#recent = new Int32Array(Math.max(spec.wordLength - 1, spec.pairGap + 1))
  }

  extract(cleaned: string): void {
    const length = this.#fold(cleaned.toLowerCase().replace(cashtags, '$$tick'))
    this.#reserve(length)
    this.count = 0
    this.#words(length)
    this.#characters(length)
  }

  /** Copies the text with a blank at each end, digits folded; returns the number of units. */
  #fold(text: string): number {
    if (this.#units.length < text.length + 2) this.#units = new Uint16Array(2 * text.length + 2)
    const units = this.#units
    units[0] = blank
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      units[i + 1] = unit >= zero && unit <= nine ? zero : unit
    }
    units[text.length + 1] = blank
    return text.length + 2
  }

  #reserve(length: number): void {
    const { wordLength, pairGap, charFrom, charTo } = this.#spec
    const perUnit = wordLength + pairGap + charTo - charFrom + 1
    const most = (length + 1) * perUnit
    if (this.buckets.length < most) this.buckets = new Int32Array(2 * most)
  }

  #words(length: number): void {
    const units = this.#units
    this.#recent.fill(edge)
    let at = 0
    while (at < length) {
      const kind = classOf(units, at)
      if (kind === space) {
        at++
        continue
      }
      const start = at
      at = kind === word ? wordEnd(units, at, length) : symbolEnd(units, at, length)
      let hash = wordSeed
      for (let i = start; i < at; i++) hash = Math.imul(hash ^ (units[i] ?? 0), 0x01000193)
      this.#word(hash, true)
    }
    this.#word(edge, false)
  }

  /** Emits the n-grams and pairs that end with this word; the end of the text ends n-grams alone. */
  #word(hash: number, isWord: boolean): void {
    const recent = this.#recent
    let ngram = hash
    if (isWord) this.#emit(scramble(ngram) & this.#wordMask)
    for (let n = 2; n <= this.#spec.wordLength; n++) {
      ngram = Math.imul(ngram, 0x5bd1e995) ^ (recent[n - 2] ?? 0)
      this.#emit(scramble(ngram ^ n) & this.#wordMask)
    }
    for (let gap = 1; isWord && gap <= this.#spec.pairGap; gap++) {
      const pair = Math.imul(hash, 0x5bd1e995) ^ Math.imul(recent[gap] ?? 0, 0x1b873593)
      this.#emit(scramble(pair) & this.#wordMask)
    }
    recent.copyWithin(1, 0)
    recent[0] = hash
  }

  #characters(length: number): void {
    const units = this.#units
    const { charFrom, charTo } = this.#spec
    for (let start = 0; start + charFrom <= length; start++) {
      const end = Math.min(length, start + charTo)
      let hash = charSeed
      for (let i = start; i < end; i++) {
        hash = Math.imul(hash ^ (units[i] ?? 0), 0x01000193)
        if (i - start + 1 >= charFrom)
          this.#emit(this.#charOffset + (scramble(hash) & this.#charMask))
      }
    }
  }

  #emit(bucket: number): void {
    this.buckets[this.count++] = bucket
  }
}

function classOf(units: Uint16Array, at: number): number {
  return unitClasses[units[at] ?? 0] ?? space
}

/** A word goes on over an apostrophe, full stop, ampersand or hyphen inside it (`u.s`, `s&p`), and takes a `%` behind it. */
function wordEnd(units: Uint16Array, from: number, length: number): number {
  let at = from
  for (;;) {
    while (at < length && classOf(units, at) === word) at++
    if (at + 1 >= length || isJoint[units[at] ?? 0] !== 1 || classOf(units, at + 1) !== word) break
    at++
  }
  return at < length && units[at] === percent ? at + 1 : at
}

/** `$`, `#` or `@` before a word belongs to it; a surrogate pair is one symbol. */
function symbolEnd(units: Uint16Array, from: number, length: number): number {
  const unit = units[from] ?? 0
  if (isPrefix[unit] === 1 && from + 1 < length && classOf(units, from + 1) === word)
    return wordEnd(units, from + 1, length)
  const isHighSurrogate = (unit & 0xfc00) === 0xd800
  return isHighSurrogate && from + 1 < length ? from + 2 : from + 1
}

function flags(characters: string): Uint8Array {
  const table = new Uint8Array(0x10000)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

/** Spreads the high bits of a multiplicative hash to the low ones that the mask keeps. */
function scramble(value: number): number {
  let h = value ^ (value >>> 15)
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
