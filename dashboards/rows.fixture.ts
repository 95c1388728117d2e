/** Rows of `analyses` for tests: posts with plausible values that depend on the text alone. */
import { createHash } from 'node:crypto'
import type { Store } from '../infra/store/store.ts'
import { toStoreTime } from '../infra/store/store-time.ts'
import { type AnalysisRow, topicLabels } from '../pipeline/contract.ts'

export interface TestPost {
  readonly id: string
  readonly text: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970; the post is appended at the same time. */
  readonly publishedAt: number
  readonly overrides?: Partial<AnalysisRow>
}

/** The post's row and one for each distinct cashtag of its text. */
export function analysisRows(post: TestPost): AnalysisRow[] {
  const tickers = [...new Set(post.text.match(/\$[A-Z]{1,5}\b/g) ?? [])]
  const row = postRow(post)
  return [
    row,
    ...tickers.map((ticker, index) => ({
      ...row,
      ordinal: index + 1,
      instrument: `US:${ticker.slice(1)}`,
      ticker,
      relevance: 1 / tickers.length,
      sentiment_scope: 'post',
    })),
  ]
}

function postRow(post: TestPost): AnalysisRow {
  const [first = 0, second = 0, third = 0] = createHash('sha256').update(post.text).digest()
  const weights = [first / 255, 0.6, second / 255]
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const [negative = 0, neutral = 0, positive = 0] = weights.map((weight) => weight / sum)
  const at = new Date(post.publishedAt).toISOString().replace('T', ' ').replace('Z', '')
  return {
    log_topic: 'posts@0',
    partition: post.partition,
    offset: post.offset,
    ordinal: 0,
    block_start: post.offset,
    gap_from: post.offset,
    outcome: 'scored',
    reason: '',
    post_id: post.id,
    version: 1,
    source: 'tweets',
    kind: 'comment',
    status: 'original',
    supersedes: '',
    title: '',
    text: post.text,
    content_hash: createHash('sha256').update(post.text).digest('hex').slice(0, 16),
    url: '',
    author: '',
    language: 'en',
    language_confidence: 1,
    history: false,
    signature: [],
    instrument: '',
    ticker: '',
    relevance: 0,
    sentiment_scope: '',
    topic: topicLabels[third % topicLabels.length] ?? '',
    topic_probabilities: topicLabels.map(() => 1 / topicLabels.length),
    negative,
    neutral,
    positive,
    score: positive - negative,
    reference_score: positive - negative,
    confidence: Math.max(negative, neutral, positive),
    'experts.name': ['linear', 'lexicon'],
    'experts.version': ['1', '1'],
    'experts.task': ['sentiment', 'sentiment'],
    'experts.weight': [0.9, 0.1],
    'experts.probabilities': [
      [negative, neutral, positive],
      [negative, neutral, positive],
    ],
    'experts.ran': [true, true],
    'experts.run_probability': [1, 1],
    'experts.shadow': [false, false],
    'experts.cost_ms': [0, 0],
    strategy: 'static',
    fusion: 'average',
    topic_fusion: 'average',
    sentiment_temperature: 1,
    topic_temperature: 1,
    label_draw: '',
    label_probability: 0,
    degraded: false,
    weights_version: -1,
    published_at: at,
    original_published_at: at,
    appended_at: at,
    scored_at: at,
    ...post.overrides,
  }
}

/** Stores posts whose offsets go on right behind the partition's mark, as one block a partition. */
export async function storePosts(store: Store, posts: readonly TestPost[]): Promise<void> {
  for (const partition of new Set(posts.map((post) => post.partition))) {
    const own = posts.filter((post) => post.partition === partition)
    const first = own[0]?.offset ?? 0
    const rows = own.flatMap((post) => analysisRows(post))
    const outcome = await store.insertBlock({
      logTopic: 'posts@0',
      partition,
      mark: first - 1,
      last: own.at(-1)?.offset ?? first,
      rows: rows.map((row) => JSON.stringify({ ...row, block_start: first })),
      token: `posts@0/${partition}/${first}`,
    })
    if (outcome.kind !== 'acknowledged') throw new Error(`Not stored: ${outcome.kind}`)
  }
}

/** An event as the alert engine persists it, now. */
export async function persistAlert(store: Store, event: { readonly id: string }): Promise<void> {
  const at = toStoreTime(Date.now())
  const names = { alert_id: 'alert-1', rule: 'negative-volume', instrument: 'US:META' }
  const row = { ...event, ...names, state: 'firing', at, started_at: at }
  await store.insert('alert_events', [{ ...row, event: JSON.stringify(event) }])
}
