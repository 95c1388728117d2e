/** Figures of a classifier on labelled examples. */
import { argmax } from '../experts/probabilities.ts'

export interface Prediction {
  readonly probabilities: readonly number[]
  readonly label: number
}

export function accuracy(predictions: readonly Prediction[]): number {
  const right = predictions.filter(({ probabilities, label }) => argmax(probabilities) === label)
  return right.length / predictions.length
}

/** Mean F1 over the labels that occur, as truth or as prediction. */
export function macroF1(predictions: readonly Prediction[]): number {
  const hits = new Map<number, number>()
  const total = new Map<number, number>()
  const count = (map: Map<number, number>, label: number) =>
    map.set(label, (map.get(label) ?? 0) + 1)
  for (const { probabilities, label } of predictions) {
    const found = argmax(probabilities)
    count(total, found)
    count(total, label)
    if (found === label) count(hits, label)
  }
  const scores = [...total].map(([label, sum]) => (2 * (hits.get(label) ?? 0)) / sum)
  return mean(scores)
}

/** Mean negative log-probability of the truth, in nats. */
export function logLoss(predictions: readonly Prediction[]): number {
  return mean(
    predictions.map(
      ({ probabilities, label }) => -Math.log(Math.max(probabilities[label] ?? 0, 1e-12)),
    ),
  )
}

/** Expected calibration error of the largest probability, over `bins` equal bins (Guo et al. 2017). */
export function calibrationError(predictions: readonly Prediction[], bins = 10): number {
  const gaps = new Array<number>(bins).fill(0)
  for (const { probabilities, label } of predictions) {
    const found = argmax(probabilities)
    const confidence = probabilities[found] ?? 0
    const bin = Math.min(bins - 1, Math.floor(confidence * bins))
    gaps[bin] = (gaps[bin] ?? 0) + (found === label ? 1 : 0) - confidence
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / predictions.length
}

export interface Figures {
  readonly rows: number
  readonly accuracy: number
  readonly macroF1: number
  readonly logLoss: number
  readonly calibrationError: number
}

/** All of the above, to four digits. */
export function figures(predictions: readonly Prediction[]): Figures {
  return {
    rows: predictions.length,
    accuracy: rounded(accuracy(predictions)),
    macroF1: rounded(macroF1(predictions)),
    logLoss: rounded(logLoss(predictions)),
    calibrationError: rounded(calibrationError(predictions)),
  }
}

export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
