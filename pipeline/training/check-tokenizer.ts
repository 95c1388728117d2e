/**
 * `npm run check:tokenizer -- CORPUS`: the serving tokenizer's ids against those of the training's, on every text of the corpus and every text that ships.
 * Ends with 1 at the first texts that differ. Writes the digest by which the default suite makes the same check without Python.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { program } from 'commander'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { packageRoot } from '../../infra/package-root.ts'
import { minilmFolder } from '../experts/registry.ts'
import { createTokenizer } from '../workers/tokenizer.ts'
import { bundledTexts, digestOfIds } from './bundled-texts.ts'

const tokenizerFile = join(minilmFolder, 'tokenizer.json')
const digestFile = join(packageRoot, 'pipeline/workers/tokenizer-digest.json')
const trainingTokenizer = join(packageRoot, 'pipeline/training/encoder/token_ids.py')
const shownDifferences = 3

const Row = Type.Object({ text: Type.String() })
const Ids = Type.Array(Type.Integer())

program
  .description('Compare the token ids of serving and training on real texts.')
  .argument('<corpus>')
  .action(checkTokenizer)
  .parse()

function checkTokenizer(corpus: string): void {
  const shipped = bundledTexts()
  const texts = [...shipped, ...readTexts(corpus)]
  const expected = trainingIds(texts)
  const different = differences(texts, expected)
  process.stdout.write(`${texts.length} texts, ${different.length} with other ids\n`)
  if (different.length > 0) {
    process.stdout.write(`${different.slice(0, shownDifferences).join('\n')}\n`)
    process.exitCode = 1
    return
  }
  saveDigest(shipped.length, digestOfIds(expected.slice(0, shipped.length)))
}

function readTexts(corpus: string): string[] {
  return lines(readFileSync(corpus, 'utf8')).map((line) => Value.Parse(Row, JSON.parse(line)).text)
}

function trainingIds(texts: readonly string[]): number[][] {
  const { status, stdout, stderr, error } = spawnSync(
    'python3',
    [trainingTokenizer, tokenizerFile],
    {
      input: texts.map((text) => JSON.stringify(text)).join('\n'),
      encoding: 'utf8',
      maxBuffer: Number.POSITIVE_INFINITY,
    },
  )
  if (status !== 0) throw new Error(`The training tokenizer failed: ${stderr}`, { cause: error })
  return lines(stdout).map((line) => Value.Parse(Ids, JSON.parse(line)))
}

function differences(texts: readonly string[], expected: readonly number[][]): string[] {
  const { tokenize, opening, closing } = createTokenizer(readFileSync(tokenizerFile))
  return texts.flatMap((text, i) => {
    const ids = [opening, ...tokenize(text), closing].join()
    return ids === expected[i]?.join() ? [] : [JSON.stringify({ text, ids, expected: expected[i] })]
  })
}

function saveDigest(texts: number, sha256: string): void {
  const digest: unknown = JSON.parse(readFileSync(digestFile, 'utf8'))
  writeFileSync(digestFile, `${JSON.stringify({ ...Object(digest), texts, sha256 }, null, 2)}\n`)
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
