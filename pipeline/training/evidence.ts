/** What held-out rows say of a calibration, and whether one of two is better. Intervals: pipeline/evaluation/bootstrap.ts. */
import { seededRandom } from '../../infra/seeded-random.ts'
import { differenceInterval, type Interval, intervalOf, resample } from '../evaluation/bootstrap.ts'
import { metricsOf, outcomesOf, type Prediction, rounded } from '../evaluation/metrics.ts'
import { calibrationError } from '../evaluation/reliability.ts'
import { Outcomes, type Tally, tallyOf } from '../evaluation/tally.ts'

export interface CalibrationFigures {
  readonly rows: number
  readonly accuracy: number
  readonly logLoss: number
  readonly calibrationError: number
  readonly calibrationErrorInterval: Interval
  /** Mean of a forecaster with these confidences who is right as often as they say: what is left of the error at this number of rows by chance. */
  readonly calibrationErrorByChance: number
}

export function calibrationFigures(
  predictions: readonly Prediction[],
  clusters: ArrayLike<number>,
): CalibrationFigures {
  const outcomes = outcomesOf(predictions)
  const labels = labelCount(predictions)
  const { accuracy, logLoss, calibrationError } = metricsOf(tallied(outcomes, labels))
  const sample = { labels, rows: [...predictions.keys()], clusters }
  const resampled = resample(new Map([['it', outcomes]]), sample).get('it')
  const [low, high] =
    resampled === undefined ? [] : intervalOf('calibrationError', calibrationError, resampled)
  return {
    rows: predictions.length,
    accuracy: rounded(accuracy),
    logLoss: rounded(logLoss),
    calibrationError: rounded(calibrationError),
    calibrationErrorInterval: [rounded(low ?? Number.NaN), rounded(high ?? Number.NaN)],
    calibrationErrorByChance: rounded(calibrationErrorByChance(outcomes)),
  }
}

const simulations = 1_000

/** The calibration error is a sum of absolute values, so it is above 0 even where every confidence is true. Seeded. */
export function calibrationErrorByChance({ confidences }: Pick<Outcomes, 'confidences'>): number {
  const random = seededRandom(1)
  let sum = 0
  for (let draw = 0; draw < simulations; draw++) {
    const simulated = new Outcomes()
    for (const confidence of confidences) {
      const right = random() < confidence
      simulated.truths.push(right ? 0 : 1)
      simulated.answers.push(0)
      simulated.confidences.push(confidence)
    }
    sum += calibrationError(tallied(simulated, 2))
  }
  return sum / simulations
}

export interface LossDifference {
  readonly difference: number
  readonly interval: Interval
}

/** Mean log-loss of `a` less that of `b`, which judge the same rows, with its paired 95% interval. */
export function lossDifference(
  a: readonly Prediction[],
  b: readonly Prediction[],
  clusters: ArrayLike<number>,
): LossDifference {
  const labels = labelCount(a)
  const judges = { a: outcomesOf(a), b: outcomesOf(b) }
  const loss = (outcomes: Outcomes) => metricsOf(tallied(outcomes, labels)).logLoss
  const resampled = resample(new Map(Object.entries(judges)), {
    labels,
    rows: [...a.keys()],
    clusters,
  })
  const [ofA, ofB] = [resampled.get('a'), resampled.get('b')]
  const difference = loss(judges.a) - loss(judges.b)
  const [low, high] =
    ofA === undefined || ofB === undefined
      ? []
      : differenceInterval('logLoss', difference, ofA, ofB)
  return {
    difference: rounded(difference),
    interval: [rounded(low ?? Number.NaN), rounded(high ?? Number.NaN)],
  }
}

/** The interval lies below 0. */
export function isLess({ interval: [, high] }: LossDifference): boolean {
  return high < 0
}

function tallied(outcomes: Outcomes, labels: number): Tally {
  return tallyOf(outcomes, labels, outcomes.confidences.keys())
}

function labelCount(predictions: readonly Prediction[]): number {
  return predictions[0]?.probabilities.length ?? 0
}
