/**
 * Bootstrap intervals over clusters of texts: near-duplicates are no independent evidence. As many clusters as there are, drawn with replacement,
 * make a resample; all judges are measured on the same ones, so that differences are paired. Seeded: a figure can be printed again.
 */
import { seededRandom } from '../../infra/seeded-random.ts'
import {
  type MetricName,
  type Metrics,
  metricNames,
  metricsOf,
  occurringLabels,
} from './metrics.ts'
import { type Outcomes, Tally, tallyOf } from './tally.ts'

export const resampleCount = 1_000
export const bootstrapSeed = 1

export type Interval = [low: number, high: number]

/** Every metric on every resample, in their order. */
export type Resampled = Readonly<Record<MetricName, Float64Array>>

export interface Sample {
  readonly labels: number
  /** Which rows of the outcomes count. */
  readonly rows: readonly number[]
  /** Cluster of each row of the outcomes, any numbers from 0. */
  readonly clusters: ArrayLike<number>
}

/** By judge. Time: resamples x (clusters + rows x judges). */
export function resample<Judge extends string>(
  judges: ReadonlyMap<Judge, Outcomes>,
  { labels, rows, clusters }: Sample,
): Map<Judge, Resampled> {
  const { clusterOf, count } = renumbered(rows, clusters)
  const random = seededRandom(bootstrapSeed)
  const drawn = new Uint32Array(count)
  const tally = new Tally(labels)
  const results = new Map([...judges.keys()].map((judge) => [judge, emptyResampled()]))
  const counted = new Map(
    [...judges].map(([judge, outcomes]) => [
      judge,
      occurringLabels(tallyOf(outcomes, labels, rows)),
    ]),
  )
  for (let draw = 0; draw < resampleCount; draw++) {
    drawn.fill(0)
    for (let i = 0; i < count; i++) {
      const cluster = Math.floor(random() * count)
      drawn[cluster] = (drawn[cluster] ?? 0) + 1
    }
    for (const [judge, outcomes] of judges) {
      tally.clear()
      for (let i = 0; i < rows.length; i++) {
        const times = drawn[clusterOf[i] ?? 0] ?? 0
        if (times > 0) tally.add(outcomes, rows[i] ?? 0, times)
      }
      record(results.get(judge), draw, metricsOf(tally, counted.get(judge)))
    }
  }
  return results
}

/** 95% interval of a metric. */
export function intervalOf(metric: MetricName, estimate: number, resampled: Resampled): Interval {
  const [low, high] = intervalFrom(metric, estimate, resampled[metric])
  return metric === 'calibrationError' ? [Math.max(0, low), Math.max(0, high)] : [low, high]
}

/** 95% interval of metric(a) - metric(b), of which `estimate` is the whole sample's. */
export function differenceInterval(
  metric: MetricName,
  estimate: number,
  a: Resampled,
  b: Resampled,
): Interval {
  const differences = a[metric].map((value, draw) => value - (b[metric][draw] ?? 0))
  return intervalFrom(metric, estimate, differences)
}

/**
 * By the percentiles of the resamples. The calibration error is a sum of absolute values, so resamples exceed the sample as the sample exceeds the
 * truth, and the better calibrated of two judges by more: its intervals are basic ones, the percentiles mirrored at the estimate.
 */
function intervalFrom(metric: MetricName, estimate: number, resampled: Float64Array): Interval {
  const [low, high] = percentiles(resampled)
  return metric === 'calibrationError' ? [2 * estimate - high, 2 * estimate - low] : [low, high]
}

function percentiles(values: Float64Array): Interval {
  const sorted = values.toSorted()
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
  return [at(0.025), at(0.975)]
}

/** Clusters of the rows as 0..count - 1. */
function renumbered(rows: readonly number[], clusters: ArrayLike<number>) {
  const numbers = new Map<number, number>()
  const clusterOf = Uint32Array.from(rows, (row) => {
    const cluster = clusters[row] ?? row
    const number = numbers.get(cluster) ?? numbers.size
    numbers.set(cluster, number)
    return number
  })
  return { clusterOf, count: numbers.size }
}

function emptyResampled(): Resampled {
  return Object.fromEntries(
    metricNames.map((name) => [name, new Float64Array(resampleCount)]),
  ) as Record<MetricName, Float64Array>
}

function record(resampled: Resampled | undefined, draw: number, metrics: Metrics): void {
  for (const name of metricNames) resampled?.[name].fill(metrics[name], draw, draw + 1)
}
