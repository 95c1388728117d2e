import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textId } from '../text/normalise.ts'
import {
  clusterIds,
  commentFoldCount,
  readCommentFolds,
  readSplits,
  splitNames,
  splitOfCluster,
} from './splits.ts'

const texts = [
  'Tesla to host second quarter results call on July 22 https://t.co/a',
  'Tesla to host second quarter results call on July 23 https://t.co/b',
  'Gold hits a record high',
].map((text) => ({ id: textId(text), text }))

test('near-duplicates share a cluster, whatever the order of the texts', () => {
  const clusters = clusterIds(texts)
  const [a, b, c] = texts.map(({ id }) => clusters.get(id))
  assert.equal(a, b)
  assert.notEqual(a, c)
  assert.deepEqual(clusterIds(texts.toReversed()), clusters)
})

test('clusters fall into the splits by their shares', () => {
  const counts = new Map<string, number>()
  const n = 20_000
  for (let i = 0; i < n; i++) {
    const name = splitOfCluster(String(i))
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const shares = { train: 0.7, tune: 0.08, fit: 0.07, report: 0.15 }
  for (const name of splitNames)
    assert.ok(Math.abs((counts.get(name) ?? 0) / n - shares[name]) < 0.015, name)
})

test('the committed lists name each id once, and each comment has a split and a fold', () => {
  const splits = readSplits()
  const folds = readCommentFolds()
  assert.equal(splits.size, 46_696)
  assert.equal(folds.size, 644)
  for (const [id, fold] of folds) {
    assert.ok(splits.has(id))
    assert.ok(Number.isInteger(fold) && fold >= 0 && fold < commentFoldCount)
  }
})
