/** Text of what publishers send as HTML, plain text, or something in between. The one file that imports html-to-text. */
import { compile } from 'html-to-text'

/** Far above what a post can hold, with its tags. */
const maxHtml = 200_000

const headings = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6']
const dropped = [
  'img',
  'script',
  'style',
  'noscript',
  'iframe',
  'svg',
  'form',
  'button',
  'video',
  'audio',
]

const extract = compile({
  wordwrap: false,
  limits: { maxInputLength: maxHtml, maxDepth: 100, maxChildNodes: 20_000, ellipsis: '' },
  selectors: [
    { selector: 'a', options: { ignoreHref: true } },
    { selector: 'hr', format: 'skip' },
    ...headings.map((selector) => ({ selector, options: { uppercase: false } })),
    ...['ul', 'ol'].map((selector) => ({ selector, options: { itemPrefix: '- ' } })),
    ...dropped.map((selector) => ({ selector, format: 'skip' })),
  ],
})

/** The text of an HTML fragment, its paragraphs on lines of their own, at most `maxCharacters` code points. */
export function textOfHtml(html: string, maxCharacters: number): string {
  return cut(tidy(extract(html.slice(0, maxHtml))), maxCharacters)
}

/** `textOfHtml` on one line. */
export function lineOfHtml(html: string, maxCharacters: number): string {
  return cut(oneLine(extract(html.slice(0, maxHtml))), maxCharacters)
}

export function plainText(text: string, maxCharacters: number): string {
  return cut(tidy(text), maxCharacters)
}

export function plainLine(text: string, maxCharacters: number): string {
  return cut(oneLine(text), maxCharacters)
}

/** No control characters but line ends, no runs of spaces, no more than one blank line. */
function tidy(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(/(?:[^\S\n]|[^\P{Cc}\n])+/gu, ' ')
    .replace(/ *\n */g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
}

function cut(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text
  return [...text.slice(0, 2 * maxCharacters)].slice(0, maxCharacters).join('').trimEnd()
}
