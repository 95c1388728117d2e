import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { pino } from 'pino'
import { AppError } from '../infra/errors.ts'
import { createExpertWatch, type ExpertWatch } from './expert-watch.ts'

let now: number
let said: string[]
let watch: ExpertWatch

beforeEach(() => {
  now = 0
  said = []
  const write = (line: string) => {
    const { msg, error } = JSON.parse(line) as { msg: string; error?: string }
    said.push(error === undefined ? msg : `${msg} (${error})`)
  }
  watch = createExpertWatch({ clock: () => now, logger: pino({}, { write }) })
})

const full = (texts: number) => new AppError('OVERLOADED', `${texts} texts wait`)

test('a condition is said once, however many batches meet it', () => {
  for (let texts = 0; texts < 100; texts += 1) watch.failed('minilm', full(texts))
  assert.deepEqual(said, ['an expert fails: posts are judged without it (0 texts wait)'])
})

test('another condition and another expert are said too', () => {
  watch.failed('minilm', full(1))
  watch.failed('minilm', new AppError('DEADLINE', 'late'))
  watch.failed('linear', new Error('late'))
  assert.equal(said.length, 3)
})

test('conditions that take turns are said once each', () => {
  for (let turn = 0; turn < 100; turn += 1) {
    watch.failed('minilm', full(turn))
    watch.failed('minilm', new AppError('DEADLINE', 'late'))
  }
  assert.equal(said.length, 2)
})

test('answers between failures are no recovery; a while of them is, and is said once', () => {
  watch.answered('minilm')
  for (; now < 60_000; now += 1_000) {
    watch.failed('minilm', full(1))
    watch.answered('minilm')
  }
  assert.equal(said.length, 1)
  for (; now < 120_000; now += 1_000) watch.answered('minilm')
  assert.deepEqual(said.slice(1), ['an expert answers again'])
  watch.failed('minilm', full(1))
  assert.equal(said.length, 3)
})
