/** The one clean-up before any expert reads a text, in training as in serving: what is cleaned differently there is another text here. */
import { decodeHTML } from 'entities'

/** Characters of title and text that experts read. News states its case first, and a bound keeps the cost of a post bounded. */
export const maxReadLength = 2_000

/**
 * Title and text as one line: entities unescaped twice, links out, every @handle made `@user` (whom a post names says nothing about its tone,
 * and no name is learned by heart), runs of white space to one blank. Case stays. May be empty.
 */
export function cleanText(text: string, title = ''): string {
  const whole = title === '' || text.startsWith(title) ? text : `${title} ${text}`
  const read = whole.slice(0, maxReadLength)
  const plain = read.includes('&') ? decodeHTML(decodeHTML(read)) : read
  return plain
    .replace(/https?:\/\/\S+/gi, ' ')
    .replace(/@\w+/g, '@user')
    .replace(/\s+/g, ' ')
    .trim()
}
