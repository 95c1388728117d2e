/**
 * Keeps the table `dead_letters` equal to the fold over `posts.dead`. A batch is folded on the states of its origins alone, so memory does not grow
 * with the letters. Several instances may write the same rows: a state counts by the offset that made it.
 */
import { type Follower, type Log, type LogRecord, topics } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import { foldLetter, type LetterState, type Placed } from './fold.ts'
import { parseDeadRecord } from './record.ts'
import type { LettersTable } from './table.ts'

export interface LettersFollower {
  /** Resolves when it follows; what the topic holds is folded meanwhile. Idempotent. */
  start(): Promise<void>
  /** Resolves when the table has everything below the offset `next`, or the following was stopped. */
  reached(next: number): Promise<void>
  /** Idempotent. */
  stop(): Promise<void>
}

export interface LettersFollowerDeps {
  readonly log: Pick<Log, 'follow'>
  readonly table: LettersTable
  readonly logger: Logger
}

export function createLettersFollower({
  log,
  table,
  logger,
}: LettersFollowerDeps): LettersFollower {
  const waiting = new Set<{ readonly next: number; readonly resolve: () => void }>()
  let next = 0
  let isStopped = false
  let following: Promise<Follower> | undefined

  async function follow(): Promise<Follower> {
    next = await table.next()
    return log.follow(topics.dead, [next], async (batch) => {
      await fold(table, batch.records, logger)
      next = batch.next
      wake()
    })
  }

  function wake(): void {
    for (const waiter of waiting) {
      if (!isStopped && next < waiter.next) continue
      waiting.delete(waiter)
      waiter.resolve()
    }
  }

  async function reached(wanted: number): Promise<void> {
    if (isStopped || next >= wanted) return
    await new Promise<void>((resolve) => waiting.add({ next: wanted, resolve }))
  }

  return {
    async start() {
      following ??= follow()
      await following
    },
    reached,
    async stop() {
      isStopped = true
      wake()
      // A start that failed has nothing to stop; whoever started it knows.
      await (await following?.catch(() => undefined))?.stop()
    },
  }
}

async function fold(
  table: LettersTable,
  records: readonly LogRecord[],
  logger: Logger,
): Promise<void> {
  const placed = records.flatMap(placedOf)
  if (placed.length < records.length)
    logger.warn(
      { records: records.length - placed.length, lastOffset: records.at(-1)?.offset },
      'records of posts.dead are no letters',
    )
  const known = await table.states([...new Set(placed.map(({ record }) => record.origin))])
  const changed = new Map<string, LetterState>()
  for (const each of placed) {
    const { origin } = each.record
    const before = changed.get(origin) ?? known.get(origin)
    const state = foldLetter(before, each)
    if (state !== undefined && state !== before) changed.set(origin, state)
  }
  if (changed.size > 0) await table.save([...changed.values()])
}

function placedOf({ offset, timestamp, value }: LogRecord): Placed[] {
  const record = parseDeadRecord(value)
  return record === undefined ? [] : [{ offset, timestamp, record }]
}
