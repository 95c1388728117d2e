/** Before anything is appended to the log: whether it is the one that the store was filled from. */
import { type Follower, type Log, type LogRecord, topics } from '../infra/log/log.ts'
import { type LastRow, readLastRows } from '../infra/store/offsets.ts'
import type { Store } from '../infra/store/store.ts'
import { logReplaced, replacedBecause } from './writer/same-log.ts'

export interface StartCheckDeps {
  readonly log: Pick<Log, 'beginningOffsets' | 'endOffsets' | 'follow'>
  readonly store: Pick<Store, 'query'>
  readonly logTopic: string
}

/**
 * Compares all partitions, whoever reads them: three questions and one record each, and other processes may store meanwhile. Rejects
 * with `LOG_REPLACED`.
 */
export async function compareWithStore({ log, store, logTopic }: StartCheckDeps): Promise<void> {
  const rows = await readLastRows(store, logTopic)
  if (rows.length === 0) return
  const begins = await log.beginningOffsets(topics.posts)
  const ends = await log.endOffsets(topics.posts)
  const check = (last: LastRow, record?: LogRecord): void => {
    const why = replacedBecause(last, { end: ends[last.partition] ?? 0, record })
    if (why !== undefined) throw logReplaced({ logTopic, partition: last.partition }, why)
  }
  for (const last of rows) check(last)
  const held = rows.filter(
    ({ partition, mark, outcome }) => outcome !== 'gap' && mark >= (begins[partition] ?? 0),
  )
  const records = await recordsAt(log, ends, held)
  for (const last of held) check(last, records.get(last.partition))
}

/** The record of each partition at its mark. A log that begins anew may have none there. */
async function recordsAt(
  log: Pick<Log, 'follow'>,
  ends: readonly number[],
  rows: readonly LastRow[],
): Promise<ReadonlyMap<number, LogRecord>> {
  const found = new Map<number, LogRecord>()
  const marks = new Map(rows.map(({ partition, mark }) => [partition, mark]))
  const wanted = new Set(marks.keys())
  if (wanted.size === 0) return found
  const from = ends.map((end, partition) => marks.get(partition) ?? end)
  let following: Promise<Follower> | undefined
  await new Promise<void>((resolve, reject) => {
    following = log.follow(topics.posts, from, async ({ partition, records }) => {
      if (!wanted.delete(partition)) return
      const record = records.find(({ offset }) => offset === marks.get(partition))
      if (record !== undefined) found.set(partition, record)
      if (wanted.size === 0) resolve()
    })
    following.catch(reject)
  })
  await (await following)?.stop()
  return found
}
