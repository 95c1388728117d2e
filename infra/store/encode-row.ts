import { AppError } from '../errors.ts'

/**
 * One row as a JSON line. Strings are made well-formed, because a lone surrogate makes the engine reject the whole insert. A number
 * that is not finite as Float32 is refused with `STORE`, because the engine would store NaN as 0 without a word.
 */
export function encodeRow(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(row, (key, value: unknown) => {
    if (typeof value === 'string') return value.toWellFormed()
    if (typeof value === 'number' && !Number.isFinite(Math.fround(value)))
      throw new AppError('STORE', `The column ${key} of a row holds ${value}, not a finite number`)
    return value
  })
}
