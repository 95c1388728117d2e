/**
 * `npm run -s build && node dist/bench/language-texts.js PO_FOLDER > data/other-languages.ndjson`: texts of the length of posts in other languages,
 * from the translations of Electrum as Debian's package python3-electrum ships them (`.../electrum/locale/locale`).
 * Only those whose SHA-256 begins with an odd digit are taken: the others chose the threshold of language recognition.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from 'commander'

interface Wanted {
  readonly language: string
  readonly locale: string
  readonly count: number
}

const wanted: readonly Wanted[] = [
  { language: 'de', locale: 'de_DE', count: 200 },
  { language: 'es', locale: 'es_ES', count: 200 },
  { language: 'ja', locale: 'ja_JP', count: 200 },
  { language: 'zh-Hans', locale: 'zh_CN', count: 162 },
  { language: 'zh-Hant', locale: 'zh_TW', count: 38 },
]

/** Placeholders, markup and code: texts that no one would post. */
const unlikePosts = /%[a-z(0-9]|\{.*\}|\\|https?:|[<>|`]|\$\w/
const eastAsian = /[\u3040-\u30ff\u4e00-\u9fff]/g
const word = /\p{L}{2,}/gu

function translations(po: string): { source: string; translation: string }[] {
  return po
    .split(/\n\n+/)
    .filter((entry) => !/^#,.*fuzzy/m.test(entry))
    .map((entry) => ({
      source: plain(field(entry, 'msgid')),
      translation: plain(field(entry, 'msgstr')),
    }))
    .filter(({ source, translation }) => source !== '' && translation !== source)
}

/** The string after a keyword, which may go on over several quoted lines. */
function field(entry: string, keyword: string): string {
  const quoted = new RegExp(`^${keyword}(?:\\[0\\])? ((?:".*"\\n?)+)`, 'm').exec(entry)?.[1] ?? ''
  return quoted
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .join('')
}

function plain(text: string): string {
  return text
    .replace(/<[^>]+>/g, ' ')
    .replace(/(?<=\w)[&_](?=\w)/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

function isLikePost(text: string, language: string): boolean {
  if (unlikePosts.test(text) || text.length > 250) return false
  return /^(ja|zh)/.test(language)
    ? text.length >= 12 && (text.match(eastAsian)?.length ?? 0) >= 8
    : text.length >= 30 && (text.match(word)?.length ?? 0) >= 5
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function textsOf({ language, locale, count }: Wanted, folder: string): string[] {
  const po = readFileSync(join(folder, locale, 'electrum.po'), 'utf8')
  const texts = translations(po)
    .map(({ translation }) => translation)
    .filter((text) => isLikePost(text, language))
  return [...new Set(texts)]
    .sort((a, b) => (hash(a) < hash(b) ? -1 : 1))
    .filter((text) => Number.parseInt(hash(text).slice(0, 1), 16) % 2 === 1)
    .slice(0, count)
}

program.argument('<po-folder>').action((folder: string) => {
  for (const one of wanted)
    for (const text of textsOf(one, folder))
      process.stdout.write(`${JSON.stringify({ language: one.language, text })}\n`)
})
program.parse()
