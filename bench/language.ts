/**
 * `npm run -s build && node dist/bench/language.js DATA_FOLDER [TEXTS...]`: how many English texts language recognition takes for another language,
 * how many of the bundled texts in other languages it finds, bare and dressed as posts, and its speed. TEXTS are further files to find, one text a
 * line, named `NAME.LANGUAGE.txt`. Opens the report split: not for choosing anything.
 */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { program } from 'commander'
import { packageRoot } from '../infra/package-root.ts'
import { detectLanguage } from '../pipeline/text/language.ts'
import { readCorpus } from '../pipeline/training/corpus.ts'
import { readExamples } from '../pipeline/training/dataset.ts'

type Texts = readonly string[]

const dresses: readonly ((text: string) => string)[] = [
  (text) => `$SAP $TSLA ${text} https://t.co/aB3dE5fG7h`,
  (text) => `RT @user: ${text} #stocks $AAPL`,
  (text) => `${text} $NVDA +3.2% 🚀 @user https://t.co/3xYzAbCdEf`,
]

function englishTexts(folder: string): [string, Texts][] {
  const corpus = readCorpus(folder)
  const sources = ['tweets', 'comments', 'topics', 'headlines'] as const
  return [
    ...sources.map((source): [string, Texts] => [
      source,
      corpus.rows('report', source).map(({ text }) => text),
    ]),
    ['bundled stream', readExamples(folder, 'stream2020').map(({ text }) => text)],
  ]
}

function bundledTexts(): [string, Texts][] {
  const byLanguage = new Map<string, string[]>()
  const file = readFileSync(join(packageRoot, 'data/other-languages.ndjson'), 'utf8')
  for (const line of file.trim().split('\n')) {
    const { language, text } = JSON.parse(line)
    byLanguage.set(language, [...(byLanguage.get(language) ?? []), text])
  }
  return [...byLanguage]
}

function textsOfFile(path: string): [string, Texts] {
  const [, language = ''] = basename(path).split('.')
  return [language, readFileSync(path, 'utf8').trim().split('\n')]
}

function reportEnglish(sources: [string, Texts][]): void {
  for (const [source, texts] of sources) {
    const taken = texts.filter((text) => detectLanguage(text).language !== 'en')
    print(`${source}: ${taken.length} of ${texts.length} not English (${share(taken, texts)})`)
    for (const text of taken) {
      const { language, confidence } = detectLanguage(text)
      print(`    ${language} ${confidence.toFixed(2)} ${JSON.stringify(text)}`)
    }
  }
}

function reportOthers(sets: [string, string, Texts][]): void {
  for (const [set, tag, texts] of sets) {
    const found = (dressed: Texts) =>
      share(
        dressed.filter((text) => detectLanguage(text).language === tag.split('-')[0]),
        texts,
      )
    const dressed = texts.map((text, i) => dresses[i % dresses.length]?.(text) ?? text)
    print(`${set} ${tag}: ${texts.length}, found ${found(texts)}, as posts ${found(dressed)}`)
  }
}

/** Of the processor's time, not the clock's: others may use the machine. */
function reportSpeed(texts: Texts): void {
  const passes = 5
  const start = process.cpuUsage()
  for (let pass = 0; pass < passes; pass += 1) for (const text of texts) detectLanguage(text)
  const { user, system } = process.cpuUsage(start)
  const seconds = (user + system) / 1e6
  print(`${Math.round((passes * texts.length) / seconds)} texts/s of one core`)
}

function share(part: Texts, whole: Texts): string {
  return `${((100 * part.length) / whole.length).toFixed(2)}%`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

program
  .argument('<data-folder>')
  .argument('[texts...]')
  .action((folder: string, files: string[]) => {
    const english = englishTexts(folder)
    reportEnglish(english)
    reportOthers([
      ...bundledTexts().map(([tag, texts]): [string, string, Texts] => ['bundled', tag, texts]),
      ...files.map((path): [string, string, Texts] => [basename(path), ...textsOfFile(path)]),
    ])
    reportSpeed(english.flatMap(([, texts]) => texts))
  })
program.parse()
