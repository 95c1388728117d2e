/** What the posts of one instrument add up to, bucket by bucket, and the sliding window over the last buckets. */

import { fromStoreTime } from '../infra/store/store-time.ts'
import type { AnalysisRow } from '../pipeline/contract.ts'
import type { AlertText } from './contract.ts'
import type { Story } from './stories.ts'

/** The columns of `analyses` that alerts read. */
export type MentionRow = Pick<
  AnalysisRow,
  | 'log_topic'
  | 'partition'
  | 'offset'
  | 'ordinal'
  | 'outcome'
  | 'post_id'
  | 'version'
  | 'source'
  | 'status'
  | 'text'
  | 'content_hash'
  | 'author'
  | 'history'
  | 'signature'
  | 'instrument'
  | 'negative'
  | 'experts.name'
  | 'experts.task'
  | 'experts.probabilities'
  | 'published_at'
  | 'original_published_at'
  | 'appended_at'
>

/** Everything is JSON, so that a snapshot is the value itself. Lists are bounded: the state is O(1) a series. */
export interface Bucket {
  /** End of the bucket, in milliseconds. */
  readonly end: number
  posts: number
  negativePosts: number
  stories: number
  negativeStories: number
  volume: number
  /** Distinct voices: authors, and stories of posts without one. */
  readonly voices: string[]
  /** The most negative stories, worst first. */
  readonly texts: WindowText[]
}

export interface WindowText extends AlertText {
  readonly story: string
}

export interface Window {
  readonly posts: number
  readonly negativePosts: number
  readonly stories: number
  readonly negativeStories: number
  readonly volume: number
  readonly authors: number
}

const maxVoices = 100
const maxTexts = 8
const maxTextLength = 500
const negativeFrom = 0.5

export const emptyBucket = (end: number): Bucket => ({
  end,
  posts: 0,
  negativePosts: 0,
  stories: 0,
  negativeStories: 0,
  volume: 0,
  voices: [],
  texts: [],
})

export const positionOf = (row: MentionRow): string =>
  `${row.log_topic}/${row.partition}/${row.offset}`

/** Counts a mention in its bucket. The volume grows only by a story the instrument has not had yet. */
export function count(bucket: Bucket, row: MentionRow, story: Story): void {
  const isNegative = row.negative >= negativeFrom
  bucket.posts += 1
  if (isNegative) bucket.negativePosts += 1
  const voice = row.author === '' ? story.id : row.author
  if (bucket.voices.length < maxVoices && !bucket.voices.includes(voice)) bucket.voices.push(voice)
  if (story.instruments.has(row.instrument)) return
  story.instruments.add(row.instrument)
  bucket.stories += 1
  if (isNegative) bucket.negativeStories += 1
  bucket.volume += row.negative
  keepText(bucket.texts, row, story)
}

/** Notes one more post of a story on its text, wherever the window holds it. */
export function countRepeat(buckets: readonly Bucket[], storyId: string): void {
  for (const { texts } of buckets)
    for (const [index, text] of texts.entries())
      if (text.story === storyId) texts[index] = { ...text, posts: text.posts + 1 }
}

/** Of every series that is awake, for every length, at every close: one pass, and no lists. */
export function sumOf(buckets: readonly Bucket[]): Window {
  const sum = { posts: 0, negativePosts: 0, stories: 0, negativeStories: 0, volume: 0 }
  const voices = new Set<string>()
  for (const bucket of buckets) {
    sum.posts += bucket.posts
    sum.negativePosts += bucket.negativePosts
    sum.stories += bucket.stories
    sum.negativeStories += bucket.negativeStories
    sum.volume += bucket.volume
    for (const voice of bucket.voices) voices.add(voice)
  }
  return { ...sum, authors: voices.size }
}

/** The most negative stories of all buckets, worst first. */
export function textsOf(buckets: readonly Bucket[]): AlertText[] {
  return buckets
    .flatMap((bucket) => bucket.texts)
    .sort((a, b) => b.negative - a.negative)
    .slice(0, maxTexts)
    .map(({ story: _, ...text }) => text)
}

function keepText(texts: WindowText[], row: MentionRow, story: Story): void {
  const place = texts.findIndex((text) => text.negative < row.negative)
  const index = place === -1 ? texts.length : place
  if (index >= maxTexts) return
  texts.splice(index, 0, {
    story: story.id,
    position: positionOf(row),
    postId: row.post_id,
    source: row.source,
    author: row.author,
    text: row.text.slice(0, maxTextLength).toWellFormed(),
    publishedAt: isoTime(row.published_at),
    originalPublishedAt: isoTime(row.original_published_at),
    negative: row.negative,
    posts: 1,
    experts: expertsOf(row),
  })
  texts.length = Math.min(texts.length, maxTexts)
}

function expertsOf(row: MentionRow): AlertText['experts'] {
  return row['experts.name'].flatMap((name, index) => {
    const negative = row['experts.probabilities'][index]?.[0]
    const isSentiment = row['experts.task'][index] === 'sentiment'
    return isSentiment && negative !== undefined ? [{ name, negative }] : []
  })
}

const isoTime = (storeTime: string): string => new Date(fromStoreTime(storeTime)).toISOString()
