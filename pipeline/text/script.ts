/** Which script most of a text is in, and so in which language it is, where that is not the Latin one. */

/** The BCP 47 tag of a script's language, or `und-` and the script where several share it. */
const scripts: readonly (readonly [pattern: RegExp, language: string])[] = [
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Han}/gu, 'zh'],
  [/\p{Script=Cyrillic}/gu, 'und-Cyrl'],
  [/\p{Script=Arabic}/gu, 'und-Arab'],
  [/\p{Script=Devanagari}/gu, 'und-Deva'],
  [/\p{Script=Greek}/gu, 'el'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Thai}/gu, 'th'],
]
const eastAsian = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/gu
const kana = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu
const latin = /\p{Script=Latin}/gu
const letter = /\p{L}/gu
const otherLetter = /(?!\p{Script=Latin})\p{L}/u
/** Tickers and abbreviations stand in texts of every script. */
const capitals = /(?<!\p{L})\p{Lu}{2,}(?!\p{L})/gu

export interface ScriptLanguage {
  readonly language: string
  /** Of the letters, above 0.5. */
  readonly share: number
}

/**
 * The language of the script that a text without its tags is in, or nothing where that is Latin or there are no letters. An East Asian character
 * counts as two letters: it says as much, and company and product names stand in Latin between them.
 */
export function languageOfScript(text: string): ScriptLanguage | undefined {
  if (!otherLetter.test(text)) return undefined
  const plain = text.normalize('NFKC').replace(capitals, ' ')
  const wide = count(plain, eastAsian)
  const letters = count(plain, letter) + wide
  const share = 1 - count(plain, latin) / letters
  if (!(share > 0.5)) return undefined
  return { language: languageOf(plain, wide), share }
}

/** Japanese mixes Han and kana, so a tenth of kana decides. */
function languageOf(text: string, wide: number): string {
  const kanas = count(text, kana)
  if (kanas > 0 && kanas * 10 >= wide) return 'ja'
  const found = scripts.map(([pattern, language]) => ({ language, letters: count(text, pattern) }))
  const most = found.reduce((a, b) => (b.letters > a.letters ? b : a))
  return most.letters > 0 ? most.language : 'und'
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}
