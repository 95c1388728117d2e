/** The span of time that a page looks at. */
import type { Range, WindowInfo } from './contract.ts'

const minute = 60_000

const spans: Readonly<Record<Range, { spanMs: number; bucketMs: number }>> = {
  '15m': { spanMs: 15 * minute, bucketMs: 10_000 },
  '1h': { spanMs: 60 * minute, bucketMs: 30_000 },
  '4h': { spanMs: 240 * minute, bucketMs: 2 * minute },
  '1d': { spanMs: 1_440 * minute, bucketMs: 15 * minute },
  '1w': { spanMs: 10_080 * minute, bucketMs: 120 * minute },
}

/** The window that holds `now` in its newest bucket. Its edges stand on multiples of the bucket. */
export function windowAt(range: Range, now: number): WindowInfo {
  const { spanMs, bucketMs } = spans[range]
  const to = (Math.floor(now / bucketMs) + 1) * bucketMs
  return { range, from: to - spanMs, to, bucketMs }
}

/** One entry a slot of `[0, count)`, from the sparse rows of a query. */
export function fillSlots<Row extends { readonly slot: number }, Filled>(
  rows: readonly Row[],
  count: number,
  fill: (row: Row | undefined, slot: number) => Filled,
): Filled[] {
  const bySlot = new Map(rows.map((row) => [row.slot, row]))
  return Array.from({ length: count }, (_, slot) => fill(bySlot.get(slot), slot))
}

export const bucketCount = (window: WindowInfo): number =>
  Math.round((window.to - window.from) / window.bucketMs)
