/** How a re-scoring leaves live posts unharmed: it rests as long as it worked, and while the pipeline is behind the log. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, topics } from '../../infra/log/log.ts'
import { readMarks } from '../../infra/store/offsets.ts'
import type { Store } from '../../infra/store/store.ts'

/** More posts than wait in quiet times, between two blocks of each partition. */
const behindFrom = 1_000
const lookMs = 500

export interface PaceDeps {
  readonly log: Pick<Log, 'endOffsets'>
  readonly store: Pick<Store, 'query'>
  readonly logTopic: string
  readonly signal: AbortSignal
}

export function livePace({
  log,
  store,
  logTopic,
  signal,
}: PaceDeps): (workMs: number) => Promise<void> {
  const behind = async (): Promise<number> => {
    const ends = await log.endOffsets(topics.posts)
    const marks = new Map(
      (await readMarks(store, logTopic)).map((row) => [row.partition, row.mark]),
    )
    return ends.reduce((sum, end, partition) => sum + end - 1 - (marks.get(partition) ?? -1), 0)
  }
  return async (workMs) => {
    await sleep(workMs, undefined, { signal })
    while ((await behind()) > behindFrom) await sleep(lookMs, undefined, { signal })
  }
}
