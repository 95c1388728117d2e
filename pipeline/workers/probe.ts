/** A few texts with known answers: what a machine or a provider computes is compared by them. */
import { AppError } from '../../infra/errors.ts'
import type { LoadedEncoder } from './load-encoder.ts'
import type { Session } from './session.ts'
import { windowsOf } from './windows.ts'

export interface Probe {
  readonly windows: readonly Int32Array[]
  /** Of the longest window. */
  readonly length: number
  /** As where the artifact was made: a row a window, all heads side by side. */
  readonly expected: Float32Array
}

/** Throws `MODEL` when the manifest's rows are not one a text and a value a label. */
export function probeOf({ folder, manifest, tokenizer }: LoadedEncoder): Probe {
  const { texts, logits } = manifest.probe
  const { opening, closing } = tokenizer
  const shape = { ...manifest, opening, closing }
  const windows = texts.flatMap((text) => windowsOf(tokenizer.tokenize(text), shape))
  const columns = manifest.heads.reduce((sum, { labels }) => sum + labels, 0)
  const expected = texts.flatMap((_, row) =>
    manifest.heads.flatMap(({ output }) => logits[output]?.[row] ?? []),
  )
  if (windows.length !== texts.length || expected.length !== texts.length * columns)
    throw new AppError(
      'MODEL',
      `The probe in the manifest of ${folder} does not have one window and one row of logits a text.`,
    )
  const length = Math.max(...windows.map((window) => window.length))
  return { windows, length, expected: Float32Array.from(expected) }
}

export function runProbe(session: Session, { windows, length }: Probe): Promise<Float32Array> {
  return session.run(windows, length)
}

/** The largest distance of two values at one place; infinite where one is no number. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const distance = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN))
    largest = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(largest, distance)
  }
  return largest
}
