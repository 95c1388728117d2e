/** The rows of `analyses` that one log record leaves: the post itself (ordinal 0) and its mentions (1..n). */
import type { LogRecord } from '../infra/log/log.ts'
import type { PartitionId } from '../infra/store/store.ts'
import { toStoreTime } from '../infra/store/store-time.ts'
import type { Post } from '../ingest/contract.ts'
import type { Judgement } from './allocator/judgement.ts'
import type { Mention } from './entities/mention.ts'
import { type DrawColumns, notDrawn } from './feedback/draw.ts'
import { contentHash } from './versions.ts'
import { emptyRow, type UnplacedRow } from './writer/gap.ts'

/** What the pipeline decided about one record. */
export type Verdict =
  /** With a post when it was well-formed, but ends who reads it. */
  | { readonly outcome: 'dead'; readonly reason: string; readonly post?: Post }
  | { readonly outcome: 'duplicate'; readonly post: Post; readonly version: number }
  | {
      readonly outcome: 'unsupported'
      readonly post: Post
      readonly version: number
      readonly language: string
      readonly languageConfidence: number
      readonly signature: readonly number[]
    }
  | {
      readonly outcome: 'scored'
      readonly post: Post
      readonly version: number
      readonly language: string
      readonly languageConfidence: number
      readonly signature: readonly number[]
      readonly judgement: Judgement
      readonly draw: DrawColumns
      readonly mentions: readonly Mention[]
    }

/** Rows in ordinal order. */
export function rowsOf(
  partition: PartitionId,
  record: LogRecord,
  verdict: Verdict,
  scoredAtMs: number,
): UnplacedRow[] {
  const blank: UnplacedRow = {
    ...emptyRow(partition, record.offset, toStoreTime(record.timestamp)),
    scored_at: toStoreTime(scoredAtMs),
  }
  if (verdict.outcome === 'dead')
    return [{ ...blank, ...(verdict.post && postColumns(verdict.post)), reason: verdict.reason }]
  const post = { ...blank, ...postColumns(verdict.post), version: verdict.version }
  if (verdict.outcome === 'duplicate')
    return [{ ...post, outcome: 'duplicate', reason: `repeats version ${verdict.version}` }]
  const read = {
    ...post,
    language: verdict.language,
    language_confidence: verdict.languageConfidence,
    signature: [...verdict.signature],
  }
  if (verdict.outcome === 'unsupported')
    return [{ ...read, outcome: 'unsupported', reason: `no expert reads '${verdict.language}'` }]
  const scored: UnplacedRow = { ...read, outcome: 'scored', ...verdict.judgement, ...verdict.draw }
  return [
    scored,
    ...verdict.mentions.map((mention, index) => mentionRow(scored, mention, index + 1)),
  ]
}

function mentionRow(scored: UnplacedRow, mention: Mention, ordinal: number): UnplacedRow {
  return {
    ...scored,
    ...notDrawn,
    ordinal,
    instrument: mention.instrument,
    ticker: mention.written,
    relevance: mention.relevance,
    sentiment_scope: 'post',
  }
}

function postColumns(post: Post): Partial<UnplacedRow> {
  const published = toStoreTime(Date.parse(post.publishedAt))
  return {
    post_id: post.id,
    source: post.source,
    kind: post.kind,
    status: post.status ?? 'original',
    supersedes: post.supersedes ?? '',
    title: post.title ?? '',
    text: post.text,
    content_hash: contentHash(post),
    url: post.url ?? '',
    author: post.author ?? '',
    language: post.language ?? '',
    history: post.history ?? false,
    published_at: published,
    original_published_at:
      post.originalPublishedAt === undefined
        ? published
        : toStoreTime(Date.parse(post.originalPublishedAt)),
  }
}
