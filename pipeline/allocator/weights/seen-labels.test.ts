import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeenLabels } from './seen-labels.ts'

const count = 20_000
const filled = () => {
  const seen = new SeenLabels()
  for (let i = 0; i < count; i++) assert.equal(seen.add(['label', `p${i}`, 1]), true)
  return seen
}

test('what was added is there, once, and nothing else is', () => {
  const seen = filled()
  assert.equal(seen.size, count)
  for (let i = 0; i < count; i++) assert.equal(seen.add(['label', `p${i}`, 1]), false)
  assert.equal(seen.add(['label', 'p0', 2]), true)
  assert.equal(seen.add(['label', 'p0,1']), true)
})

test('it is read back as it was', () => {
  const seen = filled()
  const copy = SeenLabels.decode(seen.encode())
  assert.ok(copy !== undefined)
  assert.equal(copy.size, count)
  assert.equal(copy.encode(), seen.encode())
  assert.equal(copy.add(['label', 'p7', 1]), false)
  assert.equal(copy.add(['label', 'new', 1]), true)
})

const broken = [
  { name: 'half a hash', input: Buffer.alloc(12).toString('base64') },
  { name: 'a hash twice', input: Buffer.alloc(16, 1).toString('base64') },
  { name: 'no base64', input: '<script>' },
]

for (const { name, input } of broken)
  test(`${name} is not read`, () => assert.equal(SeenLabels.decode(input), undefined))

test('nothing is read as nothing', () => assert.equal(SeenLabels.decode('')?.size, 0))
