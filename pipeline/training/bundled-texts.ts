/** Real texts that ship with the repository: what the default suite can compare with the training tokenizer, without the data folder and without Python. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { packageRoot } from '../../infra/package-root.ts'
import { readTable } from '../entities/tables.ts'
import { cleanText } from '../text/clean.ts'

const Tweet = Type.Object({ text: Type.String() })

/** The bundled tweets, cleaned, then the registered names of companies as they are, each in its file's order. */
export function bundledTexts(): string[] {
  const tweets = readFileSync(join(packageRoot, 'data/market-tweets-2020.ndjson'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => cleanText(Value.Parse(Tweet, JSON.parse(line)).text))
  const names = readTable('sec-company-tickers.csv', ['title'] as const).map(({ title }) => title)
  return [...tweets, ...names]
}

/** SHA-256 over the ids of each text, joined by commas, each text ended by a line feed. */
export function digestOfIds(idsOfTexts: Iterable<readonly number[]>): string {
  const hash = createHash('sha256')
  for (const ids of idsOfTexts) hash.update(`${ids.join(',')}\n`)
  return hash.digest('hex')
}
