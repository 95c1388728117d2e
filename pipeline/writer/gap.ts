/** Offsets that hold no post (control records, compaction, retention) get one row a hole, so that the mark reaches the log's end. */
import type { PartitionId } from '../../infra/store/store.ts'
import type { AnalysisRow } from '../contract.ts'

/** A row before it has a place in a block. */
export type UnplacedRow = Omit<AnalysisRow, 'block_start'>

export interface OffsetRange extends PartitionId {
  /** First offset covered. */
  readonly from: number
  /** The offset after the last one covered. */
  readonly next: number
  /** Retention removed what stood below this offset. */
  readonly removedBelow?: number | undefined
}

/**
 * The rows with one gap row for every hole of `from..next`. `rows` are in log order. A gap row is as old as the row before it, so that
 * appended_at never goes back in a partition; before the first row that is `appendedAt`.
 */
export function* fillGaps(
  rows: readonly UnplacedRow[],
  range: OffsetRange,
  appendedAt: string,
): Generator<UnplacedRow> {
  let expected = range.from
  let latest = appendedAt
  for (const row of rows) {
    if (row.offset > expected) yield gapRow(range, expected, row.offset - 1, latest)
    yield row
    expected = row.offset + 1
    latest = row.appended_at
  }
  if (expected < range.next) yield gapRow(range, expected, range.next - 1, latest)
}

/** Of a gap that nobody can fill any more. Other gaps never held a post: control records, aborted transactions, compaction. */
export const removedReason = 'removed from the log before it was read'

function gapRow(at: OffsetRange, gapFrom: number, offset: number, appendedAt: string): UnplacedRow {
  const reason = gapFrom < (at.removedBelow ?? 0) ? removedReason : ''
  return { ...emptyRow(at, offset, appendedAt), gap_from: gapFrom, outcome: 'gap', reason }
}

/** A row of outcome `dead` with nothing known but its place and when the log took it. */
export function emptyRow(at: PartitionId, offset: number, appendedAt: string): UnplacedRow {
  return {
    log_topic: at.logTopic,
    partition: at.partition,
    offset,
    ordinal: 0,
    gap_from: offset,
    outcome: 'dead',
    reason: '',
    post_id: '',
    version: 0,
    source: '',
    kind: '',
    status: '',
    supersedes: '',
    title: '',
    text: '',
    content_hash: '',
    url: '',
    author: '',
    language: '',
    language_confidence: 1,
    history: false,
    signature: [],
    instrument: '',
    ticker: '',
    relevance: 0,
    sentiment_scope: '',
    topic: '',
    topic_probabilities: [],
    negative: 0,
    neutral: 0,
    positive: 0,
    score: 0,
    reference_score: 0,
    confidence: 0,
    'experts.name': [],
    'experts.version': [],
    'experts.task': [],
    'experts.weight': [],
    'experts.probabilities': [],
    'experts.ran': [],
    'experts.run_probability': [],
    'experts.shadow': [],
    'experts.cost_ms': [],
    strategy: '',
    fusion: '',
    topic_fusion: '',
    sentiment_temperature: 0,
    topic_temperature: 0,
    degraded: false,
    weights_version: -1,
    label_draw: '',
    label_probability: 0,
    published_at: appendedAt,
    original_published_at: appendedAt,
    appended_at: appendedAt,
    scored_at: appendedAt,
  }
}
