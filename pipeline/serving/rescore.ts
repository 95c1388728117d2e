/**
 * Re-scoring: the posts of a range of the log judged again by another set of experts, into the table `rescored` under a revision of its own.
 *
 * Each partition has its mark in the revision, as it has in `analyses`, and blocks are written by the same protocol (pipeline/writer.ts): so
 * a re-scoring that was killed goes on where it stopped, two of the same revision never double a row, and nothing else needs to be kept.
 */
import type { Clock } from '../../infra/clock.ts'
import { AppError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import { acceptInOrder } from '../../infra/store/log-order.ts'
import { readMarks, readOffsets } from '../../infra/store/offsets.ts'
import type { PartitionId, Store } from '../../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../../infra/store/store-time.ts'
import type { AnalysisRow } from '../contract.ts'
import { jitteredBackoff } from '../writer/backoff.ts'
import { writeBlock } from '../writer/block.ts'
import { cutBlocks, defaultLimits } from '../writer/blocks.ts'
import { type RejudgeDeps, rejudge } from './rejudge.ts'

export interface RescoreDeps extends RejudgeDeps {
  readonly store: Pick<Store, 'query' | 'mark' | 'insertBlock' | 'boot' | 'replicated'>
  readonly clock: Clock
  readonly logger: Logger
  /** Rows that are read, judged and written as one block; a kill costs at most these. */
  readonly rowsAtOnce?: number | undefined
  /** Whether a row that the log took at that time was to be forgotten, which it may have been since it was read. */
  readonly isErased?: IsErasedAt | undefined
}

export type IsErasedAt = (
  claims: { readonly id: string; readonly author: string; readonly source: string },
  appendedAtMs: number,
) => boolean

export interface Rescoring {
  readonly logTopic: string
  readonly revision: number
  /** The first offset by partition. */
  readonly from: readonly number[]
}

const defaultRowsAtOnce = 2_000

/** Re-scores what is stored and not re-scored yet; what is stored meanwhile is left to the next call. */
export async function rescore(deps: RescoreDeps, rescoring: Rescoring): Promise<void> {
  for (const place of await placesOf(deps, rescoring)) await rescorePartition(deps, place)
}

/** Offsets that `rescore` would re-score now. */
export async function remaining(
  deps: Pick<RescoreDeps, 'store'>,
  rescoring: Rescoring,
): Promise<number> {
  const places = await placesOf(deps, rescoring)
  return places.reduce((sum, { mark, end }) => sum + Math.max(0, end - mark), 0)
}

/** The first offset by partition whose record the log took at `time` or later; behind the last where there is none. */
export async function offsetsSince(
  store: Pick<Store, 'query'>,
  logTopic: string,
  partitions: number,
  time: number,
): Promise<number[]> {
  const marks = await readMarks(store, logTopic)
  const rows = await store.query<{ partition: number; first: number }>(
    `SELECT partition, min(gap_from) AS first FROM analyses
     WHERE log_topic = {logTopic:String} AND appended_at >= {time:DateTime64(3, 'UTC')} GROUP BY partition`,
    { logTopic, time: toStoreTime(time) },
  )
  const first = new Map(rows.map((row) => [row.partition, row.first]))
  const end = new Map(marks.map(({ partition, mark }) => [partition, mark + 1]))
  return Array.from(
    { length: partitions },
    (_, partition) => first.get(partition) ?? end.get(partition) ?? 0,
  )
}

interface Place {
  readonly id: PartitionId
  /** The highest re-scored offset, and the highest stored one. */
  readonly mark: number
  readonly end: number
}

async function placesOf(
  { store }: Pick<RescoreDeps, 'store'>,
  { logTopic, revision, from }: Rescoring,
): Promise<Place[]> {
  const ends = await readMarks(store, logTopic)
  return Promise.all(
    ends.map(async ({ partition, mark: end }) => {
      const id = { logTopic, partition, revision: { number: revision, from: from[partition] ?? 0 } }
      return { id, end, mark: await store.mark(id) }
    }),
  )
}

async function rescorePartition(deps: RescoreDeps, { id, mark, end }: Place): Promise<void> {
  let reached = mark
  while (reached < end) {
    deps.signal.throwIfAborted()
    const rows = await rowsBehind(deps, id, reached, end)
    reached = await write(deps, id, await rejudge(deps, rows, deps.clock))
  }
}

async function rowsBehind(
  { store, rowsAtOnce: limit = defaultRowsAtOnce }: RescoreDeps,
  { logTopic, partition }: PartitionId,
  mark: number,
  end: number,
): Promise<AnalysisRow[]> {
  const range = { logTopic, partition, from: mark + 1, mark: end, limit }
  const found = (await readOffsets(store, range, 'all')) as AnalysisRow[]
  const { rows, fault } = acceptInOrder(found, mark + 1)
  if (rows.length > 0) return rows
  const what = fault === undefined ? 'missing' : `${fault.kind}d`
  throw new AppError(
    'STORE',
    `The offset ${mark + 1} of ${logTopic}/${partition} is ${what} in the store`,
  )
}

function isErased({ isErased }: RescoreDeps, row: AnalysisRow): boolean {
  const { post_id: id, author, source } = row
  return isErased?.({ id, author, source }, fromStoreTime(row.appended_at)) ?? false
}

/** The mark of the revision afterwards. */
async function write(
  deps: RescoreDeps,
  partition: PartitionId,
  rows: readonly AnalysisRow[],
): Promise<number> {
  const writing = { ...deps, partition, backoff: jitteredBackoff(Math.random), maxRepeats: 10 }
  const numbered = rows.map((row) => ({
    ...(isErased(deps, row) ? { ...row, text: '', title: '', author: '', url: '' } : row),
    revision: partition.revision?.number,
  }))
  let mark = -1
  for (const block of cutBlocks(numbered, defaultLimits)) {
    mark = await writeBlock(block, writing)
    // Another process re-scores the same: it has judged these posts too.
    if (mark !== block.last) break
  }
  return mark
}
