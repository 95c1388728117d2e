import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readOutOfFold } from './encoder-logits.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-out-of-fold-'))
after(() => rmSync(folder, { recursive: true }))

const [one, other] = ['0123456789abcdef', 'fedcba9876543210']
const folds = new Map([
  [one, 0],
  [other, 4],
])

function read(...rows: readonly unknown[]) {
  const file = join(folder, 'comments.ndjson')
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return readOutOfFold(file, folds)
}

test('logits are found by the id of their text', () => {
  const found = read(
    { id: one, fold: 0, logits: [1, 2, 3] },
    { id: other, fold: 4, logits: [0, -1.5, 0.25] },
  )
  assert.deepEqual(
    [...found],
    [
      [one, [1, 2, 3]],
      [other, [0, -1.5, 0.25]],
    ],
  )
})

const strays = [
  { name: 'a comment of another fold: its model learned from it', row: { id: one, fold: 1 } },
  { name: 'a text that is no comment', row: { id: 'aaaaaaaaaaaaaaaa', fold: 0 } },
]
for (const { name, row } of strays)
  test(`refuses ${name}`, () => {
    assert.throws(
      () => read({ id: other, fold: 4, logits: [1, 2, 3] }, { ...row, logits: [1, 2, 3] }),
      new RangeError(`Comment ${row.id} is not of fold ${row.fold}`),
    )
  })

test('refuses a comment that stands there twice', () => {
  assert.throws(
    () => read({ id: one, fold: 0, logits: [1, 2, 3] }, { id: one, fold: 0, logits: [3, 2, 1] }),
    new RangeError(`Comment ${one} stands there twice`),
  )
})

const damaged = [
  { name: 'too few logits', row: { id: one, fold: 0, logits: [1, 2] } },
  { name: 'a logit that is no number', row: { id: one, fold: 0, logits: [1, 2, null] } },
  { name: 'no fold', row: { id: one, logits: [1, 2, 3] } },
  { name: 'a fold out of range', row: { id: one, fold: 5, logits: [1, 2, 3] } },
  { name: 'an id of another kind', row: { id: 'ABC', fold: 0, logits: [1, 2, 3] } },
]
for (const { name, row } of damaged)
  test(`refuses a row with ${name}`, () => {
    assert.throws(() => read(row))
  })
