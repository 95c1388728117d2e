/** From the rows of one offset to what the feed shows. */
import type { AnalysisRow } from '../pipeline/contract.ts'
import type { FeedPost } from './contract.ts'
import { describeInstrument, type FindInstrument } from './instruments.ts'

/** The columns of `analyses` that the feed needs. */
export const feedColumns = [
  'partition',
  'offset',
  'ordinal',
  'outcome',
  'post_id',
  'source',
  'kind',
  'status',
  'author',
  'title',
  'text',
  'url',
  'history',
  'topic',
  'negative',
  'neutral',
  'positive',
  'score',
  'degraded',
  'published_at',
  'original_published_at',
  'appended_at',
  'instrument',
  'relevance',
] as const satisfies readonly (keyof AnalysisRow)[]

export type FeedRow = Pick<AnalysisRow, (typeof feedColumns)[number]>

const maxTextLength = 600

/** `rows` are the post (ordinal 0) and its mentions. */
export function feedPost(rows: readonly [FeedRow, ...FeedRow[]], find: FindInstrument): FeedPost {
  const [post, ...mentions] = rows
  return {
    partition: post.partition,
    offset: Number(post.offset),
    postId: post.post_id,
    source: post.source,
    kind: post.kind,
    status: post.status,
    author: post.author,
    title: cut(post.title),
    text: cut(post.text),
    url: post.url,
    history: post.history,
    topic: post.topic,
    negative: post.negative,
    neutral: post.neutral,
    positive: post.positive,
    score: post.score,
    degraded: post.degraded,
    publishedAt: instant(post.published_at),
    originalPublishedAt: instant(post.original_published_at),
    appendedAt: instant(post.appended_at),
    mentions: mentions.map(({ instrument, relevance }) => ({
      ...describeInstrument(instrument, find),
      relevance,
    })),
  }
}

/** ClickHouse's '2020-06-26 00:00:00.000' to RFC 3339. */
export function instant(dateTime: string): string {
  return `${dateTime.replace(' ', 'T')}Z`
}

function cut(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength).toWellFormed()}…`
}
