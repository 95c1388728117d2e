/** Which texts the experts that ship have seen, as far as the lists of their splits tell: the same words, not near-duplicates of them. */
import { readSplits } from './splits.ts'

export interface KnownTexts {
  /** The experts learned from them, or were chosen by them. */
  readonly trainedOn: number
  /** Their calibration, the shipped weights and temperatures were fitted on them. */
  readonly calibratedOn: number
}

/** @param ids of the texts, one each. */
export function knownTexts(ids: readonly string[]): KnownTexts {
  const splits = readSplits()
  const counted = { train: 0, tune: 0, fit: 0, report: 0 }
  for (const id of ids) {
    const split = splits.get(id)
    if (split !== undefined) counted[split]++
  }
  return { trainedOn: counted.train + counted.tune, calibratedOn: counted.fit }
}
