/** Whether a confidence is worth what it says: the bins of a reliability diagram. */
import { binCount, type Tally } from './tally.ts'

export interface ReliabilityBin {
  /** Confidences from here ... */
  readonly from: number
  /** ... to below here; the last bin holds 1 too. */
  readonly to: number
  readonly rows: number
  /** Mean confidence of its rows. */
  readonly confidence: number
  /** Share of its rows that were answered right. */
  readonly accuracy: number
}

/** The bins that hold rows, in order. */
export function reliabilityBins({ binRows, binConfidence, binRight }: Tally): ReliabilityBin[] {
  return Array.from(binRows, (rows, bin) => ({
    from: bin / binCount,
    to: (bin + 1) / binCount,
    rows,
    confidence: (binConfidence[bin] ?? 0) / rows,
    accuracy: (binRight[bin] ?? 0) / rows,
  })).filter(({ rows }) => rows > 0)
}

/** Expected calibration error: the mean gap between confidence and accuracy, weighted by the rows of the bins. */
export function calibrationError({ binConfidence, binRight, rows }: Tally): number {
  return (
    binConfidence.reduce(
      (sum, confidence, bin) => sum + Math.abs((binRight[bin] ?? 0) - confidence),
      0,
    ) / rows
  )
}
