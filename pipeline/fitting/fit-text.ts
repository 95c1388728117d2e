/** The text form of a fit's validation. */
import { aligned, counted, fixed, metricTitles, signed } from '../evaluation/table.ts'
import { type Estimates, type Validation, validatedMetrics } from './validation.ts'

export function validationText(validations: readonly Validation[]): string {
  return validations.map((validation) => `${linesOf(validation).join('\n')}\n`).join('\n')
}

function linesOf({ task, kind, rows, clusters, judges, differences }: Validation): string[] {
  const [first = ''] = Object.keys(judges)
  return [
    `${task}, ${kind}: ${counted(rows, 'row')} in ${counted(clusters, 'cluster')} of near-duplicates, out of fold`,
    ...table(judges, fixed),
    '',
    `${first} less`,
    ...table(differences, signed),
  ]
}

function table(
  columns: Readonly<Record<string, Estimates>>,
  print: (value: number) => string,
): string[] {
  const rows = validatedMetrics.map((name) => [
    metricTitles[name],
    ...Object.values(columns).map((estimates) => {
      const { value, interval } = estimates[name]
      return `${print(value)} [${interval.map(print).join(', ')}]`
    }),
  ])
  return aligned([['', ...Object.keys(columns)], ...rows], 1)
}
