/**
 * Fits what one expert more is worth after others were heard, from rows that all of them judged: the mean of (right with it) - (right without) in bins of
 * the margin, made monotone. Bins of a hundred rows and more, because a gain is -1, 0 or 1 on a row and mostly 0.
 */

import { kinds } from '../../ingest/contract.ts'
import { expertSet } from '../allocator/calibration.ts'
import { marginOf } from '../allocator/cascade.ts'
import { fuse } from '../allocator/fusion.ts'
import type { GainCurve } from '../allocator/gain.ts'
import { tasks } from '../contract.ts'
import { rounded } from '../evaluation/metrics.ts'
import { argmax } from '../experts/probabilities.ts'
import type { WeightsByKind } from './fusion-temperatures.ts'
import { expertsOf } from './fusion-weights.ts'
import { descending } from './isotonic.ts'
import type { Judged } from './judged.ts'

const mostBins = 10
const fewestRowsOfBin = 50

/** One expert's gain on one row. */
export interface GainRow {
  readonly margin: number
  /** -1, 0 or 1; after nobody was heard 0 or 1. */
  readonly gain: number
}

/** Where a curve belongs, with the rows to fit it on. */
export interface GainSample extends Pick<GainCurve, 'task' | 'kind' | 'heard' | 'expert'> {
  readonly rows: readonly (GainRow & Pick<Judged, 'fold'>)[]
}

/** Every expert after every set of others, on each task, of any kind and by kind. */
export function gainSamples(judged: readonly Judged[], weights: WeightsByKind): GainSample[] {
  return tasks.flatMap((task) =>
    (['', ...kinds] as const).flatMap((kind) => {
      const rows = judged.filter((row) => row.task === task && (kind === '' || row.kind === kind))
      return subsetsOf(expertsOf(rows)).flatMap((heard) =>
        expertsOf(rows)
          .filter((expert) => !heard.includes(expert))
          .map((expert) => ({
            task,
            kind,
            heard: expertSet(heard),
            expert,
            rows: rows.map((row) => ({ ...gainOf(row, heard, expert, weights), fold: row.fold })),
          })),
      )
    }),
  )
}

function gainOf(
  { kind, label, opinions }: Judged,
  heard: readonly string[],
  expert: string,
  weights: WeightsByKind,
): GainRow {
  const fusedBy = (experts: readonly string[]) =>
    fuse(
      experts.map((name) => ({
        weight: weights[kind][name] ?? 0,
        probabilities: opinions[name] ?? [],
      })),
    )
  const isRight = (probabilities: readonly number[]) =>
    probabilities.length > 0 && argmax(probabilities) === label
  const before = fusedBy(heard)
  const after = fusedBy([...heard, expert])
  return { margin: marginOf(before), gain: Number(isRight(after)) - Number(isRight(before)) }
}

/** Needs at least one row. */
export function fitGainCurve(
  rows: readonly GainRow[],
): Pick<GainCurve, 'rows' | 'margins' | 'gains'> {
  const bins = binsOf(rows.toSorted((a, b) => a.margin - b.margin))
  const gains = descending(
    bins.map((bin) => ({ value: mean(bin.map(({ gain }) => gain)), weight: bin.length })),
  )
  return {
    rows: rows.length,
    margins: bins.map((bin) => rounded(mean(bin.map(({ margin }) => margin)))),
    gains: gains.map(rounded),
  }
}

/** As even as possible. Rows of one margin share a bin: two knots at one place would be a step. */
function binsOf(sorted: readonly GainRow[]): GainRow[][] {
  const count = Math.max(1, Math.min(mostBins, Math.floor(sorted.length / fewestRowsOfBin)))
  const bins: GainRow[][] = []
  sorted.forEach((row, i) => {
    const last = bins.at(-1)
    const isFull = bins.length <= Math.floor((i * count) / sorted.length)
    if (last === undefined || (isFull && last.at(-1)?.margin !== row.margin)) bins.push([row])
    else last.push(row)
  })
  return bins
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The empty set too. */
function subsetsOf(experts: readonly string[]): string[][] {
  return Array.from({ length: 2 ** experts.length }, (_, i) =>
    experts.filter((_expert, bit) => (i >> bit) & 1),
  )
}
