/** The rows of a batch, and the records whose rows cannot be built: a defect that one post meets must not stop its partition. */
import { inert } from '../infra/inert.ts'
import type { LogRecord } from '../infra/log/log.ts'
import type { PartitionId } from '../infra/store/store.ts'
import type { Cause } from './dead-letters.ts'
import { hitsEverything } from './poison.ts'
import { rowsOf, type Verdict } from './rows.ts'
import type { UnplacedRow } from './writer.ts'

export interface Built {
  /** In log order. */
  readonly rows: readonly UnplacedRow[]
  readonly unbuilt: ReadonlyMap<number, Cause>
}

/** Throws what is thrown on rows of records in `poison`, which hold nothing of a post any more, and what is thrown on too many to be their fault. */
export function buildRows(
  partition: PartitionId,
  records: readonly LogRecord[],
  verdicts: ReadonlyMap<number, Verdict>,
  scoredAtMs: number,
  poison: ReadonlyMap<number, Cause>,
): Built {
  const unbuilt = new Map<number, Cause>()
  const rows = records.flatMap((record) => {
    const verdict = verdicts.get(record.offset)
    // Without rows the offset would pass for a gap.
    if (verdict === undefined) throw new RangeError(`offset ${record.offset} has no verdict`)
    try {
      return rowsOf(partition, record, verdict, scoredAtMs)
    } catch (error) {
      if (poison.get(record.offset)?.isBare) throw error
      unbuilt.set(record.offset, unbuildable(error))
      if (unbuilt.size === records.length && unbuilt.size >= hitsEverything) throw error
      return []
    }
  })
  return { rows, unbuilt }
}

function unbuildable(error: unknown): Cause {
  const name = error instanceof Error ? error.name : typeof error
  return {
    class: 'judging',
    reason: `its rows cannot be built: ${inert(name)}`,
    error,
    isBare: true,
  }
}
