import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadEncoder } from './load-encoder.ts'
import { writeTinyEncoder } from './tiny-encoder.fixture.ts'

const root = mkdtempSync(join(tmpdir(), 'tickertone-encoder-'))
after(() => rmSync(root, { recursive: true }))

const damages = [
  {
    name: 'a model cut short',
    damage: (folder: string) => truncateSync(join(folder, 'model.onnx'), 1_000),
    message: /model\.onnx is not the one its manifest names/,
  },
  {
    name: 'a flipped byte of the tokenizer',
    damage: (folder: string) => {
      const bytes = readFileSync(join(folder, 'tokenizer.json'))
      bytes[9] = (bytes[9] ?? 0) ^ 1
      writeFileSync(join(folder, 'tokenizer.json'), bytes)
    },
    message: /tokenizer\.json is not the one its manifest names/,
  },
  {
    name: 'no model',
    damage: (folder: string) => rmSync(join(folder, 'model.onnx')),
    message: /Cannot read the model file .*ENOENT/,
  },
  {
    name: 'no manifest',
    damage: (folder: string) => rmSync(join(folder, 'manifest.json')),
    message: /Cannot read the model manifest/,
  },
  {
    name: 'windows that are all overlap',
    damage: (folder: string) => writeTinyEncoder(folder, { windowTokens: 8, overlapTokens: 6 }),
    message: /none would get further/,
  },
]

for (const { name, damage, message } of damages)
  test(`refused: ${name}`, () => {
    const folder = mkdtempSync(join(root, 'tiny-'))
    writeTinyEncoder(folder)
    damage(folder)
    assert.throws(() => loadEncoder(folder), { code: 'MODEL', message })
  })
