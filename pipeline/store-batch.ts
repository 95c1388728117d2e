/** The steps of a batch: what is not stored yet is judged, made into rows and stored; what stands in the way of its partition is set apart. */
import type { Clock } from '../infra/clock.ts'
import type { Log, LogBatch } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Assignment, FreshRecords } from './assignment.ts'
import { bury, type Cause } from './dead-letters.ts'
import { buildRows } from './poisoned-rows.ts'
import type { Verdict } from './rows.ts'
import { type VerdictDeps, verdictsOf } from './verdicts.ts'
import { writeUpToRefused } from './writer/refused.ts'

export interface BatchStoringDeps extends Omit<VerdictDeps, 'signal'> {
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  /** What was decided, in the order of the log, once it is stored. */
  onStored?(verdicts: readonly Verdict[]): void
}

/** Of one batch, by offset. */
interface SetApart {
  readonly poison: Map<number, Cause>
  readonly buried: Set<number>
}

/** Resolves with the partition's mark. Rejects with the signal's reason when the generation ends while it judges. */
export type BatchStoring = (assignment: Assignment, batch: LogBatch) => Promise<number>

export function createBatchStoring(deps: BatchStoringDeps): BatchStoring {
  const { clock, logger } = deps

  /** As far as rows can be built and the store takes them; adds to `poison` what stands in the way, and to `buried` what has its letter. */
  async function judgeAndStore(
    { id, writer, signal }: Assignment,
    batch: LogBatch,
    { mark, records, removedBelow }: FreshRecords,
    { poison, buried }: SetApart,
  ): Promise<number> {
    const { verdicts, refused: unjudged } = await verdictsOf(
      { ...deps, signal },
      { ...id, mark },
      records,
      poison,
    )
    const scoredAt = clock()
    const { rows, unbuilt } = buildRows(id, records, verdicts, scoredAt, poison)
    for (const [offset, cause] of unbuilt) poison.set(offset, cause)
    if (unbuilt.size > 0 || !batch.isCurrent()) return mark
    // Not before all are judged: a batch that waits for experts is judged again and again.
    const letters = unjudged.filter(({ record }) => !buried.has(record.offset))
    await bury(deps.log, id, letters)
    for (const { record } of letters) buried.add(record.offset)
    const { reached, refused } = await writeUpToRefused(
      writer,
      { from: mark + 1, next: batch.next, rows, removedBelow },
      poison,
    )
    const stored = records.filter(({ offset }) => offset <= reached)
    if (batch.isCurrent())
      deps.onStored?.(stored.flatMap(({ offset }) => verdicts.get(offset) ?? []))
    if (refused !== undefined) {
      poison.set(refused.offset, refused.cause)
      logger.error(
        { partition: batch.partition, offset: refused.offset },
        'the store refuses the rows of a post: it is dead',
      )
      return reached
    }
    const writeMs = clock() - scoredAt
    logger.debug(
      { partition: batch.partition, mark: reached, writeMs, ...tally(verdicts) },
      'batch stored',
    )
    return reached
  }

  return async (assignment, batch) => {
    const poison = new Map<number, Cause>()
    const buried = new Set<number>()
    for (;;) {
      const found = poison.size
      const fresh = await assignment.take(batch)
      // The first row of a partition says how old it is: what holds no record waits for one.
      if (fresh.mark < 0 && fresh.records.length === 0) return fresh.mark
      const mark = await judgeAndStore(assignment, batch, fresh, { poison, buried })
      // What follows a post that has no rows of its own is decided anew: it is no version of itself.
      if (poison.size === found) return mark
    }
  }
}

function tally(
  verdicts: ReadonlyMap<number, Verdict>,
): Partial<Record<Verdict['outcome'], number>> {
  const counts: Partial<Record<Verdict['outcome'], number>> = {}
  for (const { outcome } of verdicts.values()) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
