/** Whether a fit is worth its while: its held-out predictions beside what there was before, on the same rows, with paired intervals. */
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import { differenceInterval, type Interval, intervalOf, resample } from '../evaluation/bootstrap.ts'
import { type MetricName, metricsOf, outcomesOf, type Prediction } from '../evaluation/metrics.ts'
import { type Outcomes, tallyOf } from '../evaluation/tally.ts'

export const validatedMetrics = [
  'accuracy',
  'macroF1',
  'logLoss',
  'brier',
  'calibrationError',
] as const satisfies readonly MetricName[]
export type ValidatedMetric = (typeof validatedMetrics)[number]

export interface Estimate {
  readonly value: number
  /** 95%, bootstrap over clusters of near-duplicates. */
  readonly interval: Interval
}
export type Estimates = Readonly<Record<ValidatedMetric, Estimate>>

export interface Validation {
  readonly task: Task
  readonly kind: Post['kind']
  readonly rows: number
  readonly clusters: number
  /** By judge. */
  readonly judges: Readonly<Record<string, Estimates>>
  /** The first judge less each of the others. */
  readonly differences: Readonly<Record<string, Estimates>>
}

/** Judges by name, the one in question first; predictions of the same rows, at least one. */
export function validationOf(
  at: { readonly task: Task; readonly kind: Post['kind'] },
  clusters: readonly number[],
  judges: Readonly<Record<string, readonly Prediction[]>>,
): Validation {
  const outcomes = new Map(
    Object.entries(judges).map(([judge, predictions]) => [judge, outcomesOf(predictions)]),
  )
  const labels = Object.values(judges)[0]?.[0]?.probabilities.length ?? 0
  const rows = [...clusters.keys()]
  const resampled = resample(outcomes, { labels, rows, clusters })
  const measured = [...outcomes].flatMap(([judge, of]) => {
    const draws = resampled.get(judge)
    return draws === undefined ? [] : [{ judge, metrics: metricsAll(of, labels), draws }]
  })
  const [first, ...others] = measured
  if (first === undefined) throw new RangeError('No judge to validate')
  const own = measured.map(({ judge, metrics, draws }) => [
    judge,
    estimates((name) => [metrics[name], intervalOf(name, metrics[name], draws)]),
  ])
  const less = others.map(({ judge, metrics, draws }) => [
    judge,
    estimates((name) => {
      const value = first.metrics[name] - metrics[name]
      return [value, differenceInterval(name, value, first.draws, draws)]
    }),
  ])
  return {
    ...at,
    rows: rows.length,
    clusters: new Set(clusters).size,
    judges: Object.fromEntries(own),
    differences: Object.fromEntries(less),
  }
}

function metricsAll(outcomes: Outcomes, labels: number) {
  return metricsOf(tallyOf(outcomes, labels, outcomes.truths.keys()))
}

function estimates(of: (name: ValidatedMetric) => [value: number, interval: Interval]): Estimates {
  return Object.fromEntries(
    validatedMetrics.map((name) => {
      const [value, interval] = of(name)
      return [name, { value, interval }]
    }),
  ) as Record<ValidatedMetric, Estimate>
}
