/** The one clean-up before any expert reads a text, in training as in serving: what is cleaned differently there is another text here. */
import { decodeHTML } from 'entities'

/** Characters of title and text of which the opening consists. */
export const openingLength = 2_000

/**
 * Title and text as one line: entities unescaped twice, links out, every @handle made `@user` (whom a post names says nothing about its tone,
 * and no name is learned by heart), runs of white space to one blank. Case stays. May be empty.
 */
export function cleanText(text: string, title = ''): string {
  return clean(joined(text, title))
}

/** The opening alone, cleaned, for experts whose cost grows with every character: news states its case first. */
export function cleanOpening(text: string, title = ''): string {
  return clean(joined(text, title).slice(0, openingLength))
}

function joined(text: string, title: string): string {
  return title === '' || text.startsWith(title) ? text : `${title} ${text}`
}

function clean(raw: string): string {
  const plain = raw.includes('&') ? decodeHTML(decodeHTML(raw)) : raw
  return plain
    .replace(/https?:\/\/\S+/gi, ' ')
    .replace(/@\w+/g, '@user')
    .replace(/\s+/g, ' ')
    .trim()
}
