/**
 * Which language a post is in, as far as our experts need to know: what they cannot read. They are trained on English alone.
 *
 * Only the script is looked at: a text most of whose letters are not Latin is in the language its source claims, or one of that script. Everything
 * else is English unless the source claims another language. So Spanish or German without a claim passes for English: telling Latin-script
 * languages apart in a hundred characters full of tickers and names errs more often than it helps.
 */

const expertLanguages: ReadonlySet<string> = new Set(['en'])

/** By script, the BCP 47 tag of its language, or `und-` and the script where several share it. */
const scripts: readonly (readonly [RegExp, string])[] = [
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Han}/gu, 'zh'],
  [/\p{Script=Cyrillic}/gu, 'und-Cyrl'],
  [/\p{Script=Arabic}/gu, 'und-Arab'],
  [/\p{Script=Devanagari}/gu, 'und-Deva'],
  [/\p{Script=Greek}/gu, 'el'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Thai}/gu, 'th'],
]
const kana = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu
const unknown = 'und'

/** Written in Latin letters in every language. */
const linksAndTags = /https?:\/\/\S+|[@$#]\w+/g

/**
 * A BCP 47 tag: a language alone (`en` for a claimed `en-US`), or `und` and a script. A text without letters is in the claimed language, or English.
 */
export function detectLanguage(text: string, claimed = ''): string {
  const claim = primaryLanguage(claimed)
  const words = text.replace(linksAndTags, ' ')
  const letters = count(words, /\p{L}/gu)
  if (count(words, /\p{Script=Latin}/gu) * 2 >= letters) return claim ?? 'en'
  return claim === undefined || expertLanguages.has(claim)
    ? languageOfScript(words, letters)
    : claim
}

/** Whether an expert can judge a text in this language; the others get outcome `unsupported`. */
export function isSupportedLanguage(tag: string): boolean {
  return expertLanguages.has(tag)
}

function primaryLanguage(claimed: string): string | undefined {
  const [primary = ''] = claimed.trim().toLowerCase().split(/[-_]/)
  return /^[a-z]{2,3}$/.test(primary) && primary !== unknown ? primary : undefined
}

/** Japanese mixes Han and kana, so a tenth of kana decides. */
function languageOfScript(words: string, letters: number): string {
  if (count(words, kana) * 10 >= letters) return 'ja'
  const found = scripts.map(([pattern, tag]) => ({ tag, letters: count(words, pattern) }))
  const most = found.reduce((a, b) => (b.letters > a.letters ? b : a))
  return most.letters > 0 ? most.tag : unknown
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
