/** The shared data folder as labelled texts. Layout and licences: the folder's own README. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { sentiments, topicLabels } from '../contract.ts'
import { textId } from '../text/normalise.ts'

export const sources = {
  tweets: 'sentiment/financial-tweets.ndjson',
  comments: 'sentiment/stock-comments.ndjson',
  topics: 'topic/financial-tweets.ndjson',
  headlines: 'entity-sentiment/sentfin.ndjson',
  stream2020: 'stream/market-tweets-2020.ndjson',
  stream2014: 'stream/ticker-tweets-2014q1.ndjson',
} as const
export type Source = keyof typeof sources

const Row = Type.Object({
  text: Type.String(),
  kind: Type.Enum(['news', 'comment']),
  sentiment: Type.Optional(Type.Enum(sentiments)),
  topic: Type.Optional(Type.Enum(topicLabels)),
  entities: Type.Optional(Type.Array(Type.Object({ sentiment: Type.Enum(sentiments) }))),
})

export interface Example {
  readonly source: Source
  readonly id: string
  readonly text: string
  readonly kind: 'news' | 'comment'
  /** Index into `sentiments`, or -1. */
  readonly sentiment: number
  /** Index into `topicLabels`, or -1. */
  readonly topic: number
}

/** Every row of a file, in its order. Throws on a row of another shape: training on half a file would go unseen. */
export function readExamples(folder: string, source: Source): Example[] {
  return readFileSync(join(folder, sources[source]), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const row = Value.Parse(Row, JSON.parse(line))
      const sentiment = row.sentiment ?? sharedSentiment(row.entities ?? [])
      return {
        source,
        id: textId(row.text),
        text: row.text,
        kind: row.kind,
        sentiment: sentiment === undefined ? -1 : sentiments.indexOf(sentiment),
        topic: row.topic === undefined ? -1 : topicLabels.indexOf(row.topic),
      }
    })
}

/** A headline's sentiment, where its entities agree on one. */
function sharedSentiment<S>(entities: readonly { readonly sentiment: S }[]): S | undefined {
  const found = new Set(entities.map((entity) => entity.sentiment))
  return found.size === 1 ? [...found][0] : undefined
}
