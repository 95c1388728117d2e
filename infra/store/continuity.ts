/** The nightly check that the store holds every offset exactly once. */
import { acceptInOrder, type Fault } from './log-order.ts'
import { readMarks, readOffsets } from './offsets.ts'
import type { Store } from './store.ts'

export interface ContinuityFault extends Fault {
  readonly logTopic: string
  readonly partition: number
}

const pageRows = 20_000

/** The ranges of offsets that are missing or stored more than once, in log order by partition. Reads the whole topic, a page at a time, until the signal ends it. */
export async function checkContinuity(
  store: Pick<Store, 'query'>,
  logTopic: string,
  signal?: AbortSignal,
): Promise<ContinuityFault[]> {
  const faults: ContinuityFault[] = []
  for (const { partition, mark } of await readMarks(store, logTopic)) {
    let from = 0
    while (from <= mark && !signal?.aborted) {
      const range = { logTopic, partition, from, mark, limit: pageRows }
      const { next, fault } = acceptInOrder(await readOffsets(store, range, []), from)
      if (fault !== undefined) add(faults, { logTopic, partition, ...fault })
      from = fault === undefined ? next : fault.to + 1
    }
  }
  return faults
}

/** Neighbouring faults of one kind are one. */
function add(faults: ContinuityFault[], fault: ContinuityFault): void {
  const last = faults.at(-1)
  const continues =
    last?.partition === fault.partition && last.kind === fault.kind && last.to + 1 === fault.from
  if (continues) faults[faults.length - 1] = { ...last, to: fault.to }
  else faults.push(fault)
}
