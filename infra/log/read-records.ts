/** Reading a log to its end, or one record of it, without a group. */
import type { Follower, Log, LogRecord } from './log.ts'

type Readable = Pick<Log, 'follow' | 'endOffsets' | 'beginningOffsets'>

/** Every record that a topic of one partition holds now. */
export async function readAll(log: Readable, topic: string): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  const [end = 0] = await log.endOffsets(topic)
  await readTo(log, topic, [0], [end], (_partition, read) => void records.push(...read))
  return records
}

/** Undefined where the log holds none at that place (any more). */
export async function recordAt(
  log: Readable,
  topic: string,
  at: { readonly partition: number; readonly offset: number },
): Promise<LogRecord | undefined> {
  const begins = await log.beginningOffsets(topic)
  const ends = await log.endOffsets(topic)
  const { partition, offset } = at
  if (offset < (begins[partition] ?? 0) || offset >= (ends[partition] ?? 0)) return undefined
  const from = ends.map((end, other) => (other === partition ? offset : end))
  const to = ends.map((end, other) => (other === partition ? offset + 1 : end))
  let found: LogRecord | undefined
  await readTo(log, topic, from, to, (_partition, records) => {
    found ??= records.find((record) => record.offset === offset)
  })
  return found
}

/** Hands over the records of offsets `from` (included) to `to` (excluded) of each partition, and what a batch holds behind them. */
export async function readTo(
  log: Pick<Log, 'follow'>,
  topic: string,
  from: readonly number[],
  to: readonly number[],
  take: (partition: number, records: readonly LogRecord[]) => void | Promise<void>,
): Promise<void> {
  const open = new Set(
    [...to.keys()].filter((partition) => (from[partition] ?? 0) < (to[partition] ?? 0)),
  )
  if (open.size === 0) return
  let following: Promise<Follower> | undefined
  await new Promise<void>((resolve, reject) => {
    following = log.follow(topic, from, async ({ partition, records, next }) => {
      if (!open.has(partition)) return
      await take(partition, records)
      if (next >= (to[partition] ?? 0)) open.delete(partition)
      if (open.size === 0) resolve()
    })
    following.catch(reject)
  })
  await (await following)?.stop()
}
