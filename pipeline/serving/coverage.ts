/** Which revision each offset shows: ranges that never overlap; what no range holds shows `analyses`. Pure. */
import type { ServedRange } from '../contract.ts'

/** `ranges` laid over `coverage`: where they are, they count. Ranges without an offset are left out. */
export function overlay(
  coverage: readonly ServedRange[],
  ranges: readonly ServedRange[],
): ServedRange[] {
  const laid = ranges.reduce<readonly ServedRange[]>(
    (under, range) => [...under.flatMap((held) => outside(held, range)), range],
    coverage,
  )
  return laid.filter(({ from, to }) => from < to).sort(inOrder)
}

/** What of `held` lies before and behind `range`. */
function outside(held: ServedRange, range: ServedRange): ServedRange[] {
  if (held.logTopic !== range.logTopic || held.partition !== range.partition) return [held]
  if (range.from >= range.to) return [held]
  return [
    { ...held, to: Math.min(held.to, range.from) },
    { ...held, from: Math.max(held.from, range.to) },
  ].filter(({ from, to }) => from < to)
}

function inOrder(a: ServedRange, b: ServedRange): number {
  if (a.logTopic !== b.logTopic) return a.logTopic < b.logTopic ? -1 : 1
  return a.partition - b.partition || a.from - b.from
}
