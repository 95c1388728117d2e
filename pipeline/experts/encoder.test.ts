import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Answer } from '../workers/pending-call.ts'
import { createEncoderExpert, headLogits, windowMean } from './encoder.ts'
import type { EncoderManifest } from './encoder-artifact.ts'
import { isLethal } from './expert.ts'
import { softmax } from './probabilities.ts'

const heads: EncoderManifest['heads'] = [
  { task: 'sentiment', output: 's', labels: 3, temperatures: { news: 1, comment: 2 } },
  { task: 'topic', output: 't', labels: 2, temperatures: { news: 0.5, comment: 1 } },
]
const manifest: EncoderManifest = {
  name: 'encoder',
  version: '1',
  base_model: '',
  licence: '',
  data: [],
  command: '',
  model: { file: '', sha256: '' },
  tokenizer: { file: '', sha256: '' },
  precision: 'float32',
  windowTokens: 64,
  overlapTokens: 8,
  heads,
  probe: { texts: [''], logits: {} },
  metrics: {},
}

const stats = (): never => assert.fail('nobody asks')

/** An expert whose workers give these answers to any texts. */
function expertOf(answers: readonly Answer[]) {
  const pool = { read: async () => answers, health: () => undefined, close: async () => {}, stats }
  return createEncoderExpert({ manifest, pool })
}

const reading = {
  windowTokens: [60, 20],
  logits: Float32Array.of(1, 2, 3, 10, 20, 4, 5, 9, 30, 40),
}

function isClose(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length)
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-12, `${actual} is not ${expected}`)
  })
}

describe('an encoder expert', () => {
  it('reads the windows of every head out of the logits', () => {
    assert.deepEqual(headLogits(heads, reading), [
      {
        task: 'sentiment',
        logits: [
          [1, 2, 3],
          [4, 5, 9],
        ],
      },
      {
        task: 'topic',
        logits: [
          [10, 20],
          [30, 40],
        ],
      },
    ])
  })

  it('calibrates by task and kind, and weighs windows by their tokens', async () => {
    const [news, comment] = await expertOf([reading, reading]).classify([
      { kind: 'news', title: '', text: '' },
      { kind: 'comment', title: '', text: '' },
    ])
    assert.ok(news !== undefined && !isLethal(news))
    assert.ok(comment !== undefined && !isLethal(comment))
    const [first, second] = [softmax([1, 2, 3], 2), softmax([4, 5, 9], 2)]
    isClose(
      comment.sentiment ?? [],
      first.map((p, i) => 0.75 * p + 0.25 * (second[i] ?? 0)),
    )
    isClose(news.topic ?? [], softmax([10, 20], 0.5))
  })

  it('passes a lethal text on', async () => {
    const lethal = { lethal: 'ended its reader' }
    const batch = [{ kind: 'news', title: '', text: '' }] as const
    assert.deepEqual(await expertOf([lethal]).classify(batch), [lethal])
  })

  it('gives a distribution whatever the windows are', () => {
    const logit = fc.double({ min: -80, max: 80, noNaN: true })
    const window = fc.tuple(
      fc.array(logit, { minLength: 3, maxLength: 3 }),
      fc.integer({ min: 1, max: 512 }),
    )
    fc.assert(
      fc.property(fc.array(window, { minLength: 1, maxLength: 9 }), (windows) => {
        const mean = windowMean(
          windows.map(([logits]) => logits),
          windows.map(([, tokens]) => tokens),
          { temperature: 1.3, biases: [0.4, -0.2, 0] },
        )
        assert.ok(mean.every((p) => p >= 0))
        assert.ok(Math.abs(mean.reduce((sum, p) => sum + p, 0) - 1) < 1e-9)
      }),
    )
  })
})
