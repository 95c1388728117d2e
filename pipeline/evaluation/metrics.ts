/** Figures of a classifier on labelled examples, one number each. Definitions are scikit-learn's, with which metrics.test.ts compares them. */
import { labelFigures } from './confusion.ts'
import { calibrationError } from './reliability.ts'
import { Outcomes, type Tally, tallyOf } from './tally.ts'

export const metricNames = [
  'accuracy',
  'macroF1',
  'weightedF1',
  'logLoss',
  'brier',
  'calibrationError',
] as const
export type MetricName = (typeof metricNames)[number]
export type Metrics = Readonly<Record<MetricName, number>>

/**
 * Macro-F1 is the mean over `counted`, weighted F1 weighs each label by its truths. NaN without rows.
 * @param counted by default the labels that occur, as truth or as answer. A resample counts those of the whole sample: without a rare label that
 * is always missed it would look better for no reason.
 */
export function metricsOf(tally: Tally, counted = occurringLabels(tally)): Metrics {
  const { rows } = tally
  const labels = labelFigures(tally)
  let right = 0
  for (let label = 0; label < tally.labels; label++)
    right += tally.cells[label * (tally.labels + 1)] ?? 0
  return {
    accuracy: right / rows,
    macroF1: counted.reduce((sum, label) => sum + (labels[label]?.f1 ?? 0), 0) / counted.length,
    weightedF1: labels.reduce((sum, { f1, support }) => sum + f1 * support, 0) / rows,
    logLoss: tally.loss / rows,
    brier: tally.distance / rows,
    calibrationError: calibrationError(tally),
  }
}

export function occurringLabels(tally: Tally): readonly number[] {
  return labelFigures(tally).flatMap(({ support, answers }, label) =>
    support + answers > 0 ? [label] : [],
  )
}

export interface Prediction {
  readonly probabilities: readonly number[]
  readonly label: number
}

/** Mean negative log-probability of the truth, in nats. */
export function logLoss(predictions: readonly Prediction[]): number {
  return metricsOfPredictions(predictions).logLoss
}

export interface Figures {
  readonly rows: number
  readonly accuracy: number
  readonly macroF1: number
  readonly logLoss: number
  readonly calibrationError: number
}

/** What a model's manifest says of it, to four digits. */
export function figures(predictions: readonly Prediction[]): Figures {
  const metrics = metricsOfPredictions(predictions)
  return {
    rows: predictions.length,
    accuracy: rounded(metrics.accuracy),
    macroF1: rounded(metrics.macroF1),
    logLoss: rounded(metrics.logLoss),
    calibrationError: rounded(metrics.calibrationError),
  }
}

export function metricsOfPredictions(predictions: readonly Prediction[]): Metrics {
  return metricsOf(tallyOfPredictions(predictions))
}

export function tallyOfPredictions(predictions: readonly Prediction[]): Tally {
  const labels = predictions[0]?.probabilities.length ?? 0
  return tallyOf(outcomesOf(predictions), labels, predictions.keys())
}

export function outcomesOf(predictions: readonly Prediction[]): Outcomes {
  const outcomes = new Outcomes()
  for (const { label, probabilities } of predictions) outcomes.add(label, probabilities)
  return outcomes
}

export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
