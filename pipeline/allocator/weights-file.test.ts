import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadConfig } from '../../infra/config.ts'
import { loadFusion, servedStacking } from './served-fusion.ts'
import { readWeightsFile, type WeightsFile } from './weights-file.ts'

const experts = [
  { name: 'linear', version: '3' },
  { name: 'lexicon', version: '1' },
]
const both = { linear: 0.6, lexicon: 0.4 }
const valid: WeightsFile = {
  format: 1,
  command: 'tickertone fit labels.ndjson --method cv',
  experts: { lexicon: '1', linear: '3' },
  data: { sha256: '0'.repeat(64), rows: 100, trainedOn: 0, calibratedOn: 0 },
  weights: {
    sentiment: { news: both, comment: { lexicon: 1 } },
    topic: { news: { linear: 1 }, comment: { linear: 1 } },
  },
  temperatures: [
    {
      task: 'sentiment',
      kind: 'comment',
      experts: 'lexicon+linear',
      method: 'average',
      temperature: 0.5,
      rows: 100,
    },
  ],
  stacking: [
    {
      task: 'sentiment',
      kind: 'news',
      weights: { lexicon: [0.1, 0.2, 0.3], linear: [1, 1, 1] },
      biases: [0, 0, 0],
      penalty: 10,
      rows: 12_345,
    },
  ],
  figures: [],
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tickertone-weights-'))
})
after(() => rm(folder, { recursive: true }))

async function file(content: string): Promise<string> {
  const path = join(folder, 'weights.json')
  await writeFile(path, content)
  return path
}

test('a file of the experts that run is read, in any order of theirs', async () => {
  assert.deepEqual(readWeightsFile(await file(JSON.stringify(valid)), experts), valid)
})

test('its stacking repeats stored rows, whoever runs', async () => {
  const asked = { task: 'sentiment', kind: 'news' } as const
  const names = ['linear', 'lexicon']
  const weightsFile = await file(JSON.stringify(valid))
  const { pipeline } = loadConfig({ env: { ALLOCATOR_WEIGHTS_FILE: weightsFile } })
  const model = servedStacking(pipeline.allocator).modelOf(asked, names)
  assert.equal(model?.rows, 12_345)
  assert.deepEqual(model, loadFusion(pipeline, experts).stacking.modelOf(asked, names))
})

test('what it says comes before what ships, and what it does not say stays', async () => {
  const path = await file(JSON.stringify(valid))
  const { pipeline } = loadConfig({ env: { ALLOCATOR_WEIGHTS_FILE: path } })
  const [fitted, shipped] = [
    loadFusion(pipeline, experts),
    loadFusion(loadConfig({ env: {} }).pipeline, experts),
  ]
  assert.deepEqual(fitted.weights, valid.weights.sentiment)
  assert.deepEqual(fitted.topicWeights, valid.weights.topic)
  assert.deepEqual(fitted.referenceWeights, shipped.referenceWeights)
  const names = ['linear', 'lexicon']
  const at = (kind: 'news' | 'comment') =>
    ({ task: 'sentiment', kind, experts: names, method: 'average' }) as const
  assert.equal(fitted.calibration.temperature(at('comment')), 0.5)
  assert.equal(
    fitted.calibration.temperature(at('news')),
    shipped.calibration.temperature(at('news')),
  )
  const rows = (kind: 'news' | 'comment') =>
    [fitted, shipped].map((one) => one.stacking.modelOf(at(kind), names)?.rows)
  assert.deepEqual([rows('news')[0], rows('comment')[0]], [12_345, rows('comment')[1]])
})

const refused = [
  { name: 'no file', content: undefined, reason: /cannot be read: ENOENT/ },
  { name: 'half a file', content: '{"format": 1, "exp', reason: /cannot be read: .*JSON/ },
  { name: 'another file', content: '{"format": 2}', reason: /is not one of weights: \// },
  {
    name: 'a negative weight',
    content: JSON.stringify(valid).replace('"linear":0.6', '"linear":-0.6'),
    reason: /is not one of weights: \/weights\/sentiment\/news\/linear/,
  },
  {
    name: 'a weight that overflows',
    content: JSON.stringify(valid).replace('"linear":0.6', '"linear":1e308'),
    reason: /is not one of weights: \/weights\/sentiment\/news\/linear/,
  },
  {
    name: 'a stacking that overflows',
    content: JSON.stringify(valid).replace('[0.1,0.2,0.3]', '[0.1,0.2,1e39]'),
    reason: /is not one of weights: \/stacking\/0\/weights\/lexicon\/2/,
  },
  {
    name: 'a temperature of nearly 0',
    content: JSON.stringify(valid).replace('"temperature":0.5', '"temperature":1e-320'),
    reason: /is not one of weights: \/temperatures\/0\/temperature/,
  },
  {
    name: 'another version of an expert',
    content: JSON.stringify({ ...valid, experts: { linear: '2', lexicon: '1' } }),
    reason: /other experts: lexicon 1, linear 2\. These run: lexicon 1, linear 3/,
  },
  {
    name: 'an expert more',
    content: JSON.stringify({ ...valid, experts: { ...valid.experts, minilm: '7' } }),
    reason: /other experts: lexicon 1, linear 3, minilm 7\. These run/,
  },
  {
    name: 'weights of an expert that it does not name',
    content: JSON.stringify(valid).replace('"lexicon":0.4', '"oracle\\u001b[31m":0.4'),
    reason: /names an expert that it was not fitted for: oracle \[31m$/,
  },
  {
    name: 'nobody for a kind',
    content: JSON.stringify(valid).replace('"comment":{"lexicon":1}', '"comment":{}'),
    reason: /has no expert for the sentiment of comment/,
  },
  {
    name: 'a stacking with a label too few',
    content: JSON.stringify(valid).replace('[0.1,0.2,0.3]', '[0.1,0.2]'),
    reason: /has a stacking without a number for each label/,
  },
  {
    name: 'temperatures of an expert that it does not name',
    content: JSON.stringify(valid).replace('lexicon+linear', 'lexicon+oracle'),
    reason: /not fitted for: oracle/,
  },
]

for (const { name, content, reason } of refused)
  test(`${name} is refused with one clear line`, async () => {
    const path = content === undefined ? join(folder, 'nowhere.json') : await file(content)
    assert.throws(
      () => readWeightsFile(path, experts),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'WEIGHTS')
        assert.match(error.message, /^The weights file .*\.json /)
        assert.match(error.message, reason)
        return true
      },
    )
  })
