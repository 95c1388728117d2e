import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownTexts } from './known-texts.ts'
import { readSplits, type SplitName } from './splits.ts'

const splits = [...readSplits()]
const first = (wanted: SplitName, count: number) =>
  splits
    .filter(([, split]) => split === wanted)
    .slice(0, count)
    .map(([id]) => id)

test('counts what the experts learned from, what they were fitted on, and nothing else', () => {
  const ids = [...first('train', 3), ...first('tune', 2), ...first('fit', 4), ...first('report', 5)]
  assert.deepEqual(knownTexts([...ids, 'a text of your own']), { trainedOn: 5, calibratedOn: 4 })
})
