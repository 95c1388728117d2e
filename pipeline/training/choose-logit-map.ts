/**
 * The map of one head and kind: a temperature alone, unless biases beside it lower the log-loss of held-out rows by a paired interval below 0.
 * docs/decisions/0059-calibration.md says what was found.
 */
import { rounded } from '../evaluation/metrics.ts'
import { type LogitMap, mapLogits } from '../experts/logit-map.ts'
import { crossFit } from '../fitting/cross-fit.ts'
import type { Grouped } from '../fitting/judged.ts'
import type { Scored } from '../fitting/logit-table.ts'
import {
  type CalibrationFigures,
  calibrationFigures,
  isLess,
  type LossDifference,
  lossDifference,
} from './evidence.ts'
import { type FitLogitMap, temperatureAlone, withBiases } from './fit-logit-map.ts'

export interface ScoredRow extends Scored, Grouped {}

export interface ChosenMap {
  /** Fitted on all rows, to four digits. */
  readonly map: LogitMap
  /** Of each row, by the chosen form fitted on the other folds. */
  readonly heldOut: readonly (readonly number[])[]
  readonly figures: {
    readonly uncalibrated: CalibrationFigures
    readonly calibrated: CalibrationFigures
    /** Log-loss with biases less that without. */
    readonly biases: LossDifference & { readonly kept: boolean }
  }
}

/** The temperature is shrunk to `parent` where given. */
export function chooseLogitMap(rows: readonly ScoredRow[], parent?: number): ChosenMap {
  const heldOut = (fit: FitLogitMap) =>
    crossFit(rows, (fitted) => {
      const map = fit(fitted, parent)
      return ({ logits, label }) => ({ label, probabilities: mapLogits(logits, map) })
    })
  const clusters = rows.map(({ cluster }) => cluster)
  const [plain, biased] = [heldOut(temperatureAlone), heldOut(withBiases)]
  const difference = lossDifference(biased, plain, clusters)
  const kept = isLess(difference)
  const calibrated = kept ? biased : plain
  const uncalibrated = rows.map(({ logits, label }) => ({
    label,
    probabilities: mapLogits(logits, { temperature: 1, biases: [] }),
  }))
  return {
    map: toFourDigits((kept ? withBiases : temperatureAlone)(rows, parent)),
    heldOut: calibrated.map(({ probabilities }) => probabilities),
    figures: {
      uncalibrated: calibrationFigures(uncalibrated, clusters),
      calibrated: calibrationFigures(calibrated, clusters),
      biases: { ...difference, kept },
    },
  }
}

function toFourDigits({ temperature, biases }: LogitMap): LogitMap {
  return { temperature: rounded(temperature), biases: biases.map(rounded) }
}
