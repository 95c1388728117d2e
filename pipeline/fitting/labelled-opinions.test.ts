import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textId } from '../text/normalise.ts'
import { LabelledOpinions } from './labelled-opinions.ts'

const outputs = new Map([
  ['linear', { sentiment: [0.2, 0.3, 0.5], topic: [0.6, 0.4] }],
  ['lexicon', { sentiment: [0.1, 0.8, 0.1] }],
])

function collected(texts: readonly string[]): LabelledOpinions {
  const opinions = new LabelledOpinions()
  for (const text of texts)
    opinions.add({ kind: 'news', title: '', text, labels: { sentiment: 2, topic: 0 } }, outputs)
  return opinions
}

test('a row a task, with the experts that judge it', () => {
  const [sentiment, topic, ...others] = collected(['Bonds rally']).judged()
  assert.deepEqual(others, [])
  assert.deepEqual(
    [sentiment?.task, sentiment?.label, Object.keys(sentiment?.opinions ?? {})],
    ['sentiment', 2, ['linear', 'lexicon']],
  )
  assert.deepEqual(
    [topic?.task, topic?.label, Object.keys(topic?.opinions ?? {})],
    ['topic', 0, ['linear']],
  )
})

test('near-duplicates share cluster and fold, whatever stands before them', () => {
  const alike = [
    'Shares of Acme fall after weak results',
    'Shares of Acme fall after weak results today',
  ]
  const [first, , second] = collected(alike).judged()
  assert.deepEqual([first?.cluster, first?.fold], [second?.cluster, second?.fold])
  const [, , later, , last] = collected(['Bonds rally', ...alike.toReversed()]).judged()
  assert.deepEqual([later?.fold, last?.fold], [first?.fold, first?.fold])
})

test('texts are named as the splits name them', () => {
  assert.deepEqual(collected(['Bonds rally']).ids, [textId('Bonds rally')])
})
