/** One normalisation for text ids, splits and near-duplicate signatures: two texts that differ only in links, case, punctuation or entities are one. */
import { createHash } from 'node:crypto'
import { decodeHTML } from 'entities'

/** HTML entities unescaped twice (feeds escape twice), lower case, links out, runs of anything but letters, digits and underscore to one blank, trimmed. */
export function normalisedText(text: string): string {
  return decodeHTML(decodeHTML(text))
    .toLowerCase()
    .replace(/https?:\/\/\S+/g, ' ')
    .replace(/[^\p{L}\p{N}_]+/gu, ' ')
    .trim()
}

/** The words of a text as `normalisedText` leaves them; none for a text without letters or digits. */
export function normalisedTokens(text: string): string[] {
  const normalised = normalisedText(text)
  return normalised === '' ? [] : normalised.split(' ')
}

/** First 16 hex digits of the SHA-256 of the normalised text. */
export function textId(text: string): string {
  return createHash('sha256').update(normalisedText(text)).digest('hex').slice(0, 16)
}
