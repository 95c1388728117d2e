/**
 * The words of a post that tell its language. Links, handles, cashtags and hashtags are written alike in every language, tickers and names nearly
 * so: fed with them, a detector marks every second short English headline as something else.
 */

const links = /(?:https?:\/\/|www\.)[!-~]+/gi
/** A hashtag in other letters (#株価) is read as text: East Asian posts write whole sentences as one. */
const tags = /@\w+|\$[a-z][\w.]*|#[\p{Script=Latin}\p{N}_]+/giu
const entities = /&#?\w+;/g

/** The text without what is written alike in every language. */
export function withoutTags(text: string): string {
  return text.replace(links, ' ').replace(tags, ' ').replace(entities, ' ')
}

/** A word that starts or ends at a digit (Q3, 50k) is none. */
const latinWords = /(?<![\p{L}\p{N}'’])\p{L}[\p{L}\p{M}'’]*(?!\p{N})/gu

/** So many words in lower case say enough without the capitalised ones. */
const enough = 5

/**
 * Distinct words, in lower case, of a text without tags: those the text writes so; where they are fewer than five also the capitalised ones (names, titles, German nouns),
 * and where most are in capitals (a headline that shouts) these too.
 */
export function distinctiveWords(text: string): string[] {
  const words = [...new Set(text.match(latinWords))]
  const plain = words.filter((word) => !startsUpper(word))
  if (plain.length >= enough) return distinct(plain)
  const mixed = words.filter((word) => !isCapitals(word))
  return distinct(mixed.length * 2 >= words.length ? mixed : words)
}

function distinct(words: readonly string[]): string[] {
  return [...new Set(words.map((word) => word.toLowerCase()))]
}

function startsUpper(word: string): boolean {
  return /^\p{Lu}/u.test(word)
}

/** A ticker or an abbreviation: letters of which none is in lower case. */
function isCapitals(word: string): boolean {
  return !/\p{Ll}/u.test(word)
}
