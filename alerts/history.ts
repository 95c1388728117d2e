/** Rows of the past in order of time: what baselines are folded from. */
import { coverageParam, servedRows } from '../infra/store/served.ts'
import type { Params, Store } from '../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../infra/store/store-time.ts'
import type { Cursor } from '../infra/store/tail.ts'
import type { ServedRange } from '../pipeline/contract.ts'
import type { BaselineSeed } from './control.ts'
import { isHistory } from './live.ts'
import type { MentionRow } from './window.ts'

export interface HistoryBucket {
  readonly end: number
  readonly rows: readonly MentionRow[]
}

/** What was live: appended since `from`, and below the cursor. Texts only since `textsFrom`: a lesson needs none, an alert shows some. */
export interface LivePast {
  readonly from: number
  readonly below: Cursor
  readonly textsFrom: number
}

/** Both in the revision that the coverage shows, in (time, partition, offset, ordinal) order, page by page: a long past never stands in memory. */
export interface History {
  /** By published_at: the mentions of imported history. */
  imported(seed: BaselineSeed, coverage: readonly ServedRange[]): AsyncIterable<MentionRow>
  /** By appended_at: the mentions that were live. */
  live(past: LivePast, coverage: readonly ServedRange[]): AsyncIterable<MentionRow>
}

const pageRows = 20_000

type TimeColumn = 'published_at' | 'appended_at'

export function historyOf(store: Store, logTopic: string): History {
  async function* pages(
    by: TimeColumn,
    condition: string,
    params: Params,
    coverage: readonly ServedRange[],
  ): AsyncIterable<MentionRow> {
    const sql = pageSql(by, condition)
    const covered = coverage.filter((range) => range.logTopic === logTopic)
    let after = { at: toStoreTime(0), partition: 0, offset: -1, ordinal: 0 }
    while (true) {
      const page = await store.query<MentionRow>(
        sql,
        { logTopic, coverage: coverageParam(covered), ...params, ...after, pageRows },
        { lane: 'tail' },
      )
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < pageRows) return
      const { partition, offset, ordinal } = last
      after = { at: last[by], partition: Number(partition), offset: Number(offset), ordinal }
    }
  }

  return {
    imported: ({ source, idPrefix, from, to }, coverage) =>
      pages(
        'published_at',
        `source = {source:String} AND history AND startsWith(post_id, {idPrefix:String})
           AND published_at >= {from:DateTime64(3, 'UTC')} AND published_at < {to:DateTime64(3, 'UTC')}`,
        {
          source,
          idPrefix,
          from: toStoreTime(from),
          to: toStoreTime(to),
          textsFrom: toStoreTime(to),
        },
        coverage,
      ),
    live: ({ from, below, textsFrom }, coverage) =>
      pages(
        'appended_at',
        `NOT history AND appended_at >= {from:DateTime64(3, 'UTC')}
           AND arrayExists(place -> place[1] = partition AND offset < place[2], {below:Array(Array(Int64))})`,
        {
          from: toStoreTime(from),
          below: Object.entries(below).map(([partition, next]) => [Number(partition), next]),
          textsFrom: toStoreTime(textsFrom),
        },
        coverage,
      ),
  }
}

const plainColumns = `log_topic, partition, offset, ordinal, outcome, post_id, version, source, status, content_hash, author, history,
  signature, instrument, negative, published_at, original_published_at, appended_at`

function pageSql(by: TimeColumn, condition: string): string {
  const kept = (column: string, empty: string) =>
    `if(${by} >= {textsFrom:DateTime64(3, 'UTC')}, ${column}, ${empty}) AS ${column}`
  const experts = ['name', 'task', 'probabilities'].map((column) => `\`experts.${column}\``)
  return `SELECT ${plainColumns}, ${kept('text', "''")}, ${experts.map((column) => kept(column, '[]')).join(', ')}
    FROM ${servedRows(`${plainColumns}, text, ${experts.join(', ')}`)}
    WHERE ordinal >= 1 AND ${condition}
      AND (${by}, partition, offset, ordinal)
        > ({at:DateTime64(3, 'UTC')}, {partition:UInt32}, {offset:Int64}, {ordinal:UInt16})
    ORDER BY ${by}, partition, offset, ordinal
    LIMIT {pageRows:UInt32}`
}

/** Empty buckets between the first and the last are told too: quiet times are part of what is usual. */
export async function* inBuckets(
  rows: AsyncIterable<MentionRow>,
  bucketMs: number,
): AsyncGenerator<HistoryBucket> {
  let bucket: { end: number; rows: MentionRow[] } | undefined
  for await (const row of rows) {
    if (!isHistory(row)) continue
    const end = (Math.floor(fromStoreTime(row.published_at) / bucketMs) + 1) * bucketMs
    bucket ??= { end, rows: [] }
    while (bucket.end < end) {
      yield bucket
      bucket = { end: bucket.end + bucketMs, rows: [] }
    }
    bucket.rows.push(row)
  }
  if (bucket !== undefined) yield bucket
}
