import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { loadEncoder } from './load-encoder.ts'
import type { TextToRead } from './protocol.ts'
import { createReader } from './reader.ts'
import { openSession } from './session.ts'
import { columns, expectedLogits, windowTokens, writeTinyEncoder } from './tiny-encoder.fixture.ts'
import { windowsOf } from './windows.ts'

const root = mkdtempSync(join(tmpdir(), 'tickertone-reader-'))
writeTinyEncoder(root)
const { manifest, model, tokenizer } = loadEncoder(root)
const session = await openSession({
  model,
  heads: manifest.heads,
  provider: 'cpu',
  threads: 1,
})
after(async () => {
  await session.close()
  rmSync(root, { recursive: true })
})

const readerOf = (maxBatchTokens: number) =>
  createReader({ ...manifest, tokenizer, session, maxBatchTokens })
const shape = { ...manifest, opening: tokenizer.opening, closing: tokenizer.closing }
const plain = (text: string): TextToRead => ({ title: '', text })

function assertClose(actual: Float32Array, expected: readonly number[]): void {
  assert.equal(actual.length, expected.length)
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] ?? 0)) < 1e-4, `${value} is not ${expected[i]}`)
  })
}

/** Spaces and letters that the tiny tokenizer knows, so that token counts differ. */
const word = fc.string({ unit: fc.constantFrom(...'abcxyz'), minLength: 1, maxLength: 9 })
const sentence = fc.array(word, { maxLength: 30 }).map((words) => words.join(' '))

test('each window has the logits of its own tokens, whatever it is batched with', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sentence, { maxLength: 20 }),
      fc.integer({ min: 1, max: 400 }),
      async (texts, maxBatchTokens) => {
        const { readings } = await readerOf(maxBatchTokens).read(texts.map(plain))
        assert.equal(readings.length, texts.length)
        readings.forEach((reading, i) => {
          const windows = windowsOf(tokenizer.tokenize(texts[i] ?? ''), shape)
          assert.deepEqual(
            reading.windowTokens,
            windows.map((window) => window.length),
          )
          assertClose(reading.logits, windows.flatMap(expectedLogits))
        })
      },
    ),
    { numRuns: 50 },
  )
})

test('what was read and what padding made of it is counted', async () => {
  const { tokens, batches } = await readerOf(20).read(['aaaaaaaa', 'a', 'b'].map(plain))
  assert.deepEqual(tokens, { real: 16, padded: 10 + 10 + 3 })
  assert.equal(batches, 2)
})

const odd = [
  { name: 'empty', text: '' },
  { name: 'one character', text: 'a' },
  { name: 'white space', text: ' \n\t ' },
  { name: 'emoji alone', text: '🚀🚀🚀' },
  { name: 'half a surrogate pair', text: '\ud83d' },
  { name: 'control characters', text: '\u0000\u0007\u202e' },
  { name: 'special tokens as text', text: '[CLS] [SEP] [PAD]' },
  { name: 'a link alone', text: 'https://t.co/x' },
  { name: '20,000 letters', text: 'a'.repeat(20_000) },
  { name: '20,000 characters', text: 'a '.repeat(10_000), windows: 1_000 },
  { name: '20,000 ampersands', text: '&'.repeat(20_000) },
]

for (const { name, text, windows } of odd)
  test(`readable: ${name}`, async () => {
    const { readings } = await readerOf(1_024).read([plain(text)])
    const [reading] = readings
    assert.ok(reading !== undefined && reading.windowTokens.length > 0)
    assert.ok(reading.windowTokens.every((tokens) => tokens >= 2 && tokens <= windowTokens))
    assert.equal(reading.logits.length, reading.windowTokens.length * columns)
    assert.ok(reading.logits.every(Number.isFinite))
    if (windows !== undefined) assert.equal(reading.windowTokens.length, windows)
  })

test('any string is readable', async () => {
  const any = fc.string({ unit: 'binary', maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(any, any, async (text, title) => {
      const { readings } = await readerOf(256).read([{ text, title }])
      assert.ok(readings[0]?.logits.every(Number.isFinite))
    }),
  )
})

test('a reading holds its own logits alone', async () => {
  const { readings } = await readerOf(1_024).read(['up', 'down'].map(plain))
  for (const { logits } of readings) assert.equal(logits.buffer.byteLength, logits.byteLength)
})

test('logits that are no numbers are no reading', async () => {
  const reader = createReader({
    ...manifest,
    tokenizer,
    session: {
      run: async (windows) => new Float32Array(windows.length * columns).fill(Number.NaN, 1, 2),
      close: async () => {},
    },
    maxBatchTokens: 64,
  })
  await assert.rejects(reader.read([plain('up')]), { message: 'a logit is not a finite number' })
})

test('a job of no texts has no readings', async () => {
  assert.deepEqual(await readerOf(64).read([]), {
    readings: [],
    tokens: { real: 0, padded: 0 },
    batches: 0,
  })
})
