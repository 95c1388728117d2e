import { AppError } from '../errors.ts'

/**
 * One row as a JSON line. Strings are made well-formed, because a lone surrogate makes the engine reject the whole insert. A number
 * that is not finite as Float32 is refused with `STORE`, because the engine would store NaN as 0 without a word.
 */
export function encodeRow(row: Readonly<Record<string, unknown>>): string {
  for (const [column, value] of Object.entries(row)) checkNumbers(value, column)
  const json = JSON.stringify(row)
  // JSON.stringify escapes surrogates only where they are alone. Rows that have none, nearly all, need no second pass.
  return /\\ud[89a-f]/.test(json) ? JSON.stringify(row, repairText) : json
}

function checkNumbers(value: unknown, column: string): void {
  if (Array.isArray(value)) for (const item of value) checkNumbers(item, column)
  else if (typeof value === 'number' && !Number.isFinite(Math.fround(value)))
    throw new AppError(
      'STORE',
      `The column ${column} of a row holds ${value}, not a finite number`,
      { cause: new RangeError(`${value} is not finite`) },
    )
}

const repairText = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed() : value
