/** Percentile bootstrap intervals over clusters: near-duplicates are no independent evidence. Seeded, so a figure can be printed again. */
import { seededRandom } from '../pipeline/training/linear-trainer.ts'
import type { Prediction } from '../pipeline/training/metrics.ts'

export interface Clustered extends Prediction {
  readonly cluster: string
}

type Metric = (predictions: readonly Prediction[]) => number
type Interval = readonly [low: number, high: number]

const resamples = 1_000

/** 95% interval of a metric. */
export function interval(predictions: readonly Clustered[], metric: Metric): Interval {
  return percentiles(
    resampled(predictions).map((rows) => metric(rows.flatMap((i) => predictions[i] ?? []))),
  )
}

/** 95% interval of metric(a) - metric(b), on the same resamples; a and b judge the same rows. */
export function pairedInterval(
  a: readonly Clustered[],
  b: readonly Clustered[],
  metric: Metric,
): Interval {
  return percentiles(
    resampled(a).map(
      (rows) => metric(rows.flatMap((i) => a[i] ?? [])) - metric(rows.flatMap((i) => b[i] ?? [])),
    ),
  )
}

/** Row numbers of each resample: as many clusters as there are, drawn with replacement. */
function resampled(predictions: readonly Clustered[]): number[][] {
  const rowsOf = new Map<string, number[]>()
  predictions.forEach(({ cluster }, i) => {
    rowsOf.set(cluster, [...(rowsOf.get(cluster) ?? []), i])
  })
  const clusters = [...rowsOf.values()]
  const random = seededRandom(1)
  return Array.from({ length: resamples }, () =>
    clusters.flatMap(() => clusters[Math.floor(random() * clusters.length)] ?? []),
  )
}

function percentiles(values: number[]): Interval {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
  return [at(0.025), at(0.975)]
}
