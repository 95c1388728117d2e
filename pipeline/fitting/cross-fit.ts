/** What a recipe says of each row when it was fitted on the rows of the other folds. */
import type { Grouped } from './judged.ts'

/** In the order of the rows. */
export function crossFit<Row extends Pick<Grouped, 'fold'>, Answer>(
  rows: readonly Row[],
  fit: (rows: readonly Row[]) => (row: Row) => Answer,
): Answer[] {
  const folds = [...new Set(rows.map(({ fold }) => fold))]
  const judges = new Map(
    folds.map((held) => [held, fit(rows.filter(({ fold }) => fold !== held))] as const),
  )
  return rows.flatMap((row) => {
    const judge = judges.get(row.fold)
    return judge === undefined ? [] : [judge(row)]
  })
}
