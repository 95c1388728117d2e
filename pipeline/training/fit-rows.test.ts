import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldOfCluster, type SplitName } from '../fitting/splits.ts'
import type { Corpus } from './corpus.ts'
import type { Example, Source } from './dataset.ts'
import { fitRows } from './fit-rows.ts'

interface Text {
  readonly split: SplitName
  readonly source: Source
  readonly id: string
  readonly text: string
}

function text(split: SplitName, source: Source, id: string, words: string): Text {
  return { split, source, id, text: words }
}

function example({ source, id, text }: Text): Example {
  const kind = source === 'comments' ? 'comment' : 'news'
  return { source, id, text, kind, sentiment: source === 'topics' ? -1 : 1, topic: 2 }
}

function corpusOf(texts: readonly Text[], folds: readonly (readonly [string, number])[]): Corpus {
  const examples = new Map(texts.map((row) => [row, example(row)]))
  const pick = (wanted: (row: Text) => boolean) =>
    [...examples].flatMap(([row, made]) => (wanted(row) ? [made] : []))
  return {
    rows: (split, ...sources) =>
      pick((row) => row.split === split && (sources.length === 0 || sources.includes(row.source))),
    comments: pick(({ source }) => source === 'comments'),
    commentFolds: new Map(folds),
  }
}

const splits = ['train', 'tune', 'fit', 'report'] as const
const everywhere = corpusOf(
  splits.flatMap((split) => [
    text(split, 'tweets', `${split} tweet`, `tweet apple ${split}`),
    text(split, 'topics', `${split} topic`, `topic banana ${split}`),
    text(split, 'headlines', `${split} headline`, `headline cherry ${split}`),
    text(split, 'comments', `${split} comment`, `comment damson ${split}`),
  ]),
  splits.map((split, i) => [`${split} comment`, i]),
)

test('takes news of fit alone, and no comment of report', () => {
  const found = fitRows(everywhere).map(({ task, example: { id } }) => `${task}: ${id}`)
  assert.deepEqual(found, [
    'sentiment: fit tweet',
    'sentiment: train comment',
    'sentiment: tune comment',
    'sentiment: fit comment',
    'topic: fit topic',
  ])
})

test('leaves a comment out that stands in report, wherever else it stands', () => {
  const twice = corpusOf(
    [
      text('report', 'comments', 'seen', 'buy the dip'),
      text('report', 'comments', 'seen', 'Buy the dip!'),
      text('fit', 'comments', 'unseen', 'sell the rip'),
    ],
    [
      ['seen', 0],
      ['unseen', 1],
    ],
  )
  assert.deepEqual(
    fitRows(twice).map(({ example: { id } }) => id),
    ['unseen'],
  )
})

test('comments keep the fold by which their models were trained', () => {
  const folds = fitRows(everywhere).flatMap(({ example: { kind }, fold }) =>
    kind === 'comment' ? [fold] : [],
  )
  assert.deepEqual(folds, [0, 1, 2])
})

test('near-duplicates are one cluster and share a fold, across tasks too', () => {
  const rows = fitRows(
    corpusOf(
      [
        text('fit', 'tweets', 'b', 'Shares of Acme fall after weak results'),
        text('fit', 'topics', 'a', 'Shares of Acme fall after weak results today'),
        text('fit', 'tweets', 'c', 'Bonds rally'),
      ],
      [],
    ),
  )
  const by = new Map(rows.map((row) => [row.example.id, row]))
  assert.equal(by.get('a')?.cluster, by.get('b')?.cluster)
  assert.notEqual(by.get('a')?.cluster, by.get('c')?.cluster)
  assert.deepEqual(
    [by.get('a')?.fold, by.get('b')?.fold, by.get('c')?.fold],
    [foldOfCluster('a'), foldOfCluster('a'), foldOfCluster('c')],
  )
})
