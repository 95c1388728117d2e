import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { packageRoot } from '../../infra/package-root.ts'
import { modelsFolder } from '../experts/artifact.ts'
import { bundledTexts, digestOfIds } from '../training/bundled-texts.ts'
import { createTokenizer } from './tokenizer.ts'

const file = readFileSync(join(modelsFolder, 'minilm/tokenizer.json'))
const tokenizer = createTokenizer(file)

test('14,638 real texts have the ids that the training tokenizer gives them', () => {
  const pinned = JSON.parse(
    readFileSync(join(packageRoot, 'pipeline/workers/tokenizer-digest.json'), 'utf8'),
  )
  const texts = bundledTexts()
  const { opening, closing } = tokenizer
  const ids = texts.map((text) => [opening, ...tokenizer.tokenize(text), closing])
  assert.equal(texts.length, pinned.texts)
  assert.equal(digestOfIds(ids), pinned.sha256)
})

test('half a surrogate pair is read as what the training tokenizer makes of no character', () => {
  const half = fc.constantFrom('\ud83d', '\ude80')
  fc.assert(
    fc.property(fc.string(), half, fc.string(), (before, unit, behind) => {
      assert.deepEqual(
        tokenizer.tokenize(`${before} ${unit} ${behind}`),
        tokenizer.tokenize(`${before} \ufffd ${behind}`),
      )
    }),
  )
})

const withPostProcessor = (post_processor: unknown) =>
  Buffer.from(JSON.stringify({ ...JSON.parse(file.toString()), post_processor }))

const damaged = [
  { name: 'no JSON', json: Buffer.from('{') },
  { name: 'another kind of file', json: Buffer.from('{}') },
  { name: 'no special tokens', json: withPostProcessor(null) },
]

for (const { name, json } of damaged)
  test(`refused: ${name}`, () => {
    assert.throws(() => createTokenizer(json), { name: 'AppError', code: 'MODEL' })
  })
