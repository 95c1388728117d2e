import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { AppError } from '../../infra/errors.ts'
import { lexiconFolder, readLexicon } from './lexicon.ts'
import { linearFolder, readLinear, readLinearIn } from './linear.ts'

const root = mkdtempSync(join(tmpdir(), 'tickertone-models-'))
after(() => rmSync(root, { recursive: true }))

function copyOf(folder: string): string {
  const copy = mkdtempSync(join(root, 'model-'))
  cpSync(folder, copy, { recursive: true })
  return copy
}

const { file } = readLinear().manifest

const damages = [
  {
    name: 'a flipped byte',
    damage: (folder: string) => {
      const bytes = readFileSync(join(folder, file))
      bytes[1_000] = (bytes[1_000] ?? 0) ^ 1
      writeFileSync(join(folder, file), bytes)
    },
    message: /is not the one its manifest names .* restore both/,
  },
  {
    name: 'a missing file',
    damage: (folder: string) => rmSync(join(folder, file)),
    message: /^Cannot read the model file .*ENOENT/,
  },
  {
    name: 'a missing manifest',
    damage: (folder: string) => rmSync(join(folder, 'manifest.json')),
    message: /^Cannot read the model manifest .*ENOENT/,
  },
  {
    name: 'a manifest that is no JSON',
    damage: (folder: string) => writeFileSync(join(folder, 'manifest.json'), '{'),
    message: /^Cannot read the model manifest /,
  },
  {
    name: 'a manifest of another shape',
    damage: (folder: string) => writeFileSync(join(folder, 'manifest.json'), '{}'),
    message: /^The model manifest .* is not valid: /,
  },
  {
    name: 'a manifest of another size',
    damage: (folder: string) => {
      const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8')
      writeFileSync(
        join(folder, 'manifest.json'),
        manifest.replace(/"wordBits": \d+/, '"wordBits": 3'),
      )
    },
    message: /has \d+ bytes where its manifest describes \d+\.$/,
  },
]

for (const { name, damage, message } of damages)
  test(`${name} is refused with one sentence`, () => {
    const folder = copyOf(linearFolder)
    damage(folder)
    assert.throws(
      () => readLinearIn(folder),
      (error) =>
        error instanceof AppError &&
        error.code === 'MODEL' &&
        !error.retryable &&
        message.test(error.message) &&
        !error.message.includes('\n'),
    )
  })

test('the lexicon has no file of its own, only a manifest', () => {
  const folder = copyOf(lexiconFolder)
  assert.equal(readLexicon(folder).name, 'lexicon')
  rmSync(join(folder, 'manifest.json'))
  assert.throws(() => readLexicon(folder), { code: 'MODEL' })
})
