import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import { EncoderManifest } from '../experts/encoder-artifact.ts'
import { type EncoderRow, fitEncoder } from './fit-encoder.ts'

const ones = { news: 1, comment: 1 }
const manifest: EncoderManifest = {
  name: 'tiny',
  version: '1-abcdef01',
  base_model: 'none',
  licence: 'Apache-2.0',
  data: [],
  command: 'none',
  model: { file: 'model.onnx', sha256: '0'.repeat(64) },
  tokenizer: { file: 'tokenizer.json', sha256: '0'.repeat(64) },
  precision: 'int8',
  windowTokens: 128,
  overlapTokens: 32,
  heads: [
    { task: 'sentiment', output: 'sentiment', labels: 3, temperatures: ones },
    { task: 'topic', output: 'topic', labels: 20, temperatures: ones },
  ],
  probe: { texts: ['x'], logits: {} },
  metrics: { tune: { kept: true } },
}

/** Says its label by so much, and is right in as many of ten rows. */
function rowsOf(
  { task, kind, labels }: { task: Task; kind: Post['kind']; labels: number },
  { sure, right, rows }: { sure: number; right: number; rows: number },
): EncoderRow[] {
  return Array.from({ length: rows }, (_, i) => {
    const said = i % labels
    const label = i % 10 < right ? said : (said + 1) % labels
    const logits = Array.from({ length: labels }, (_, k) => (k === said ? sure : 0))
    return { task, kind, label, logits, fold: Math.floor(i / 10) % 5, cluster: i }
  })
}

const news = rowsOf(
  { task: 'sentiment', kind: 'news', labels: 3 },
  { sure: 6, right: 8, rows: 600 },
)
const topics = rowsOf({ task: 'topic', kind: 'news', labels: 20 }, { sure: 6, right: 9, rows: 600 })
const comments = (rows: number) =>
  rowsOf({ task: 'sentiment', kind: 'comment', labels: 3 }, { sure: 6, right: 5, rows })

const head = ({ manifest: { heads } }: ReturnType<typeof fitEncoder>, task: Task) => {
  const found = heads.find((one) => one.task === task)
  assert.ok(found)
  return found
}

test('each head and kind has a temperature of its own, and the rest of the manifest stays', () => {
  const fitted = fitEncoder(manifest, [...news, ...comments(300), ...topics])
  assert.ok(Value.Check(EncoderManifest, fitted.manifest))
  const { temperatures } = head(fitted, 'sentiment')
  // Right in 8 of 10 with two other labels: e^(6/T) / (e^(6/T) + 2) = 0.8.
  assert.ok(Math.abs(temperatures.news - 6 / Math.log(8)) < 0.05, String(temperatures.news))
  assert.ok(temperatures.comment > temperatures.news)
  const { version, heads: _, metrics, ...rest } = fitted.manifest
  const { version: was, heads: __, metrics: had, ...before } = manifest
  assert.deepEqual(rest, before)
  assert.match(version, /^1-abcdef01\+[0-9a-f]{8}$/)
  assert.deepEqual(metrics.tune, had.tune)
})

test('few comments stay near the news; a task without comments gives them the temperature of its news', () => {
  const fitted = fitEncoder(manifest, [...news, ...comments(10), ...topics])
  const [few, many] = [
    head(fitted, 'sentiment').temperatures,
    head(fitEncoder(manifest, [...news, ...comments(600)]), 'sentiment').temperatures,
  ]
  assert.ok(few.comment - few.news < (many.comment - many.news) / 2)
  const { temperatures } = head(fitted, 'topic')
  assert.equal(temperatures.comment, temperatures.news)
})

test('every row has a held-out distribution of its own task', () => {
  const rows = [...topics, ...comments(50), ...news]
  const { heldOut } = fitEncoder(manifest, rows)
  assert.equal(heldOut.size, rows.length)
  for (const row of rows) {
    const found = heldOut.get(row) ?? []
    assert.equal(found.length, row.logits.length)
    assert.ok(Math.abs(found.reduce((sum, p) => sum + p, 0) - 1) < 1e-9)
  }
})

test('a row is judged by maps that have not seen it', () => {
  // One fold is always wrong: maps fitted on the others are sure of it, one that had seen it would be less so.
  const rows = news.map((row) => ({
    ...row,
    label: row.fold === 0 ? (row.label + 1) % 3 : row.label,
  }))
  const { heldOut, manifest: fitted } = fitEncoder(manifest, rows)
  const shipped = fitted.heads[0]?.temperatures.news ?? 1
  const sureness = (fold: number) => {
    const row = rows.find((one) => one.fold === fold)
    return Math.max(...((row && heldOut.get(row)) ?? []))
  }
  const all = Math.exp(6 / shipped) / (Math.exp(6 / shipped) + 2)
  assert.ok(sureness(0) > all + 0.02)
  assert.ok(sureness(1) < all)
})

test('biases that help one kind stand in the manifest, with none for the other; fitting again replaces them', () => {
  // Comments are labelled 0 in 8 of 10, whatever is said.
  const skewed = comments(400).map((row, i) => ({
    ...row,
    logits: [0, 0, 0],
    label: i % 10 < 8 ? 0 : 1 + (i % 2),
  }))
  const fitted = fitEncoder(manifest, [...news, ...skewed])
  const { biases } = head(fitted, 'sentiment')
  assert.deepEqual([biases?.news.length, biases?.comment.length], [0, 3])
  assert.ok((biases?.comment[0] ?? 0) > 0.3)
  const again = fitEncoder(fitted.manifest, [...news, ...comments(300)])
  assert.equal(head(again, 'sentiment').biases, undefined)
})

test('another calibration is another version, the same one the same', () => {
  const once = fitEncoder(manifest, news).manifest
  assert.deepEqual(fitEncoder(once, news).manifest, once)
  assert.notEqual(fitEncoder(once, [...news, ...comments(300)]).manifest.version, once.version)
})
