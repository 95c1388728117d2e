import assert from 'node:assert/strict'
import { it } from 'node:test'
import { TextClusters } from './clusters.ts'

const texts = [
  'Shares of Acme fall 3% after weak results',
  'SHARES of Acme fall 3%, after weak results! https://t.co/x',
  'Shares of Acme fall 4% after weak results',
  'Bonds rally',
]

const cases = [
  {
    name: 'near-duplicates are one',
    maxCompared: 10,
    unit: 'near-duplicates',
    expected: [0, 0, 0, 2],
  },
  {
    name: 'of too many texts only the same words are one',
    maxCompared: 2,
    unit: 'repeats',
    expected: [0, 0, 1, 2],
  },
]

for (const { name, maxCompared, ...expected } of cases)
  it(name, () => {
    const clusters = new TextClusters(maxCompared)
    for (const text of texts) clusters.add(text)
    const assigned = clusters.assign()
    assert.deepEqual({ unit: assigned.unit, expected: assigned.clusters }, expected)
  })
