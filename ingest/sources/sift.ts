/** From what a poll found to what it hands over: nothing that was handed over before, oldest first. */
import type { Row } from './delivery.ts'
import { type Item, postOf, type Reading, type SourceLabel, shortHash } from './item.ts'
import type { Seen } from './novelty.ts'
import type { ReadingCounts } from './source.ts'
import type { ReadingTime } from './timing.ts'

export interface Sifted {
  readonly rows: readonly Row[]
  readonly counts: Omit<ReadingCounts, 'refused'>
}

/** Notes everything in `seen`. `readings` stand newest first, as publishers list them; dates decide where there are some. */
export function sift(
  readings: readonly Reading[],
  options: { readonly seen: Seen; readonly label: SourceLabel; readonly time: ReadingTime },
): Sifted {
  const { seen, label, time } = options
  const counts = { fresh: 0, corrected: 0, repeated: 0 }
  const rows: Row[] = []
  for (const reading of oldestFirst(readings)) {
    const novelty = reading.ok ? seen.note(reading.item) : seen.noteRaw(reading.raw)
    if (novelty === 'repeated') counts.repeated += 1
    else if (!reading.ok) rows.push(rowOf(label, shortHash(reading.raw, 22), reading.raw, reading))
    else {
      counts[novelty === 'new' ? 'fresh' : 'corrected'] += 1
      const candidate = postOf(reading.item, label, time, novelty === 'corrected')
      const place = shortHash(JSON.stringify([reading.item.id, reading.item.text]), 22)
      rows.push(rowOf(label, place, reading.raw, { ok: true, candidate }))
    }
  }
  return { rows, counts }
}

export function rowOf(label: SourceLabel, place: string, raw: Row['raw'], read: Row['read']): Row {
  return { origin: `source:${label.name}/${place}`, raw, read }
}

/** Newest own date; undefined where no item has one. */
export function newestMs(readings: readonly Reading[], nowMs: number): number | undefined {
  const dates = readings.flatMap((reading) => {
    const ms = reading.ok ? reading.item.date?.ms : undefined
    return ms !== undefined && ms <= nowMs ? [ms] : []
  })
  return dates.length === 0 ? undefined : dates.reduce((newest, ms) => Math.max(newest, ms))
}

function oldestFirst(readings: readonly Reading[]): Reading[] {
  const msOf = (reading: Reading) => (reading.ok ? dateMs(reading.item) : -Infinity)
  return readings.toReversed().sort((a, b) => compare(msOf(a), msOf(b)))
}

const dateMs = (item: Item): number => item.date?.ms ?? -Infinity
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1)
