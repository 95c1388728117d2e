/** Whether the confidence of a cascade is worth what it says, by task, kind and the set of experts that ran: each set sees posts of its own kind of doubt. */
import { tempered } from '../pipeline/allocator/calibration.ts'
import type { Prediction } from '../pipeline/evaluation/metrics.ts'
import { logarithms } from '../pipeline/experts/probabilities.ts'
import { fitTemperature } from '../pipeline/fitting/temperature.ts'
import { calibrationFigures, lossDifference } from '../pipeline/training/evidence.ts'
import type { Verdict } from './allocator-play.ts'
import type { LabelledPost } from './allocator-stream.ts'

/** Fewer rows say nothing. */
const fewestRows = 60

interface Group {
  readonly labelled: LabelledPost
  readonly verdict: Verdict
}

/**
 * Before any temperature, with those that are served, and with one fitted to the set's own posts (on half of them, for the other): below 0 and with an
 * interval below 0, its log-loss less the served one's would say that the cascade needs temperatures of its own.
 */
export function calibrationLines(
  stream: readonly LabelledPost[],
  verdicts: readonly Verdict[],
): string[] {
  const groups = new Map<string, Group[]>()
  for (const [i, labelled] of stream.entries()) {
    const verdict = verdicts[i]
    if (verdict === undefined) continue
    const { task, post } = labelled
    for (const set of ['any', verdict.ran.toSorted().join('+')]) {
      const name = `${task} | ${post.kind} | ${set}`
      groups.set(name, [...(groups.get(name) ?? []), { labelled, verdict }])
    }
  }
  const lines = [...groups]
    .filter(([, group]) => group.length >= fewestRows)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, group]) => `${name} | ${group.length} | ${figuresOf(group).join(' | ')}`)
  return [
    'task | kind | experts that ran | n | ECE before | ECE served [95%] | by chance | log-loss with a temperature of its own less served',
    ...lines,
  ]
}

function figuresOf(group: readonly Group[]): string[] {
  const clusters = group.map(({ labelled }) => labelled.cluster)
  const served = group.map(predictionOf)
  const before = group.map((row) => ({ ...predictionOf(row), probabilities: untempered(row) }))
  const own = refitted(before, clusters)
  const { calibrationError, calibrationErrorInterval, calibrationErrorByChance } =
    calibrationFigures(served, clusters)
  const { difference, interval } = lossDifference(own, served, clusters)
  const [low, high] = calibrationErrorInterval
  return [
    calibrationFigures(before, clusters).calibrationError.toFixed(3),
    `${calibrationError.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
    calibrationErrorByChance.toFixed(3),
    `${difference.toFixed(4)} [${interval.map((bound) => bound.toFixed(4)).join(', ')}]`,
  ]
}

function predictionOf({ labelled, verdict }: Group): Prediction {
  return { label: labelled.label, probabilities: verdict.probabilities }
}

function untempered({ verdict }: Group): number[] {
  return tempered(verdict.probabilities, 1 / verdict.temperature)
}

/** Clusters of odd number judged by a temperature of the even ones, and the other way round. */
function refitted(predictions: readonly Prediction[], clusters: readonly number[]): Prediction[] {
  const isEven = predictions.map((_, i) => (clusters[i] ?? 0) % 2 === 0)
  const temperatureOf = (even: boolean) =>
    fitTemperature(
      predictions
        .filter((_, i) => isEven[i] === even)
        .map(({ label, probabilities }) => ({ label, logits: logarithms(probabilities) })),
    )
  const temperatures = { even: temperatureOf(true), odd: temperatureOf(false) }
  return predictions.map(({ label, probabilities }, i) => ({
    label,
    probabilities: tempered(probabilities, isEven[i] ? temperatures.odd : temperatures.even),
  }))
}
