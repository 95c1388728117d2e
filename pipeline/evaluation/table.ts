/** Figures as text for a terminal: the numbers of the reports, none of its own. */
import type { MetricName } from './metrics.ts'
import type { Difference, JudgeFigures } from './report.ts'

/** Judges side by side, in this order. */
export type SideBySide = readonly (readonly [judge: string, figures: JudgeFigures])[]

const titles: Readonly<Record<MetricName, string>> = {
  accuracy: 'accuracy',
  macroF1: 'macro-F1',
  weightedF1: 'weighted F1',
  logLoss: 'log-loss',
  brier: 'Brier',
  calibrationError: 'ECE',
}
const metrics = Object.keys(titles) as MetricName[]

/** One line a metric with its interval, one column a judge. `speeds` by judge. */
export function metricLines(
  judges: SideBySide,
  speeds: ReadonlyMap<string, number> = new Map(),
): string[] {
  const rows = metrics.map((name) => [
    titles[name],
    ...judges.map(([, figures]) => {
      const [low, high] = figures.intervals[name]
      return `${fixed(figures[name])} [${fixed(low)}, ${fixed(high)}]`
    }),
  ])
  const speed = ['texts/s', ...judges.map(([judge]) => grouped(speeds.get(judge) ?? Number.NaN))]
  const head = ['', ...judges.map(([judge]) => judge)]
  return aligned([head, ...rows, ...(speeds.size > 0 ? [speed] : [])], 1)
}

/** One line a metric, one column a difference; an interval without 0 is a difference that the rows show. */
export function differenceLines(differences: readonly Difference[]): string[] {
  const rows = metrics.map((name) => [
    titles[name],
    ...differences.map(({ metrics: by }) => {
      const { value, interval } = by[name]
      return `${signed(value)} [${interval.map(signed).join(', ')}]`
    }),
  ])
  const head = ['', ...differences.map(({ judge, base }) => `${judge} - ${base}`)]
  return aligned([head, ...rows], 1)
}

/** Precision, recall and F1 of each label that occurs, by judge. */
export function labelLines(labels: readonly string[], judges: SideBySide): string[] {
  const head = ['', 'rows', ...judges.flatMap(([judge]) => [`${judge}: P`, 'R', 'F1'])]
  const rows = occurring(labels, judges).map((label) => [
    label,
    grouped(judges[0]?.[1].labels[label]?.support ?? 0),
    ...judges.flatMap(([, { labels: by }]) => {
      const { precision = 0, recall = 0, f1 = 0 } = by[label] ?? {}
      return [precision, recall, f1].map(fixed)
    }),
  ])
  return aligned([head, ...rows], 1)
}

/** A line a true label, a column an answer, of the labels that occur; the columns are numbered as the lines are. */
export function confusionLines(labels: readonly string[], judge: JudgeFigures): string[] {
  const shown = occurring(labels, [['', judge]]).map((label) => labels.indexOf(label))
  const head = ['', '', ...shown.map((label) => String(label + 1))]
  const rows = shown.map((truth) => [
    String(truth + 1),
    labels[truth] ?? '',
    ...shown.map((answer) => grouped(judge.confusion[truth]?.[answer] ?? 0)),
  ])
  return aligned([head, ...rows], 2)
}

export function reliabilityLines({ reliability }: JudgeFigures): string[] {
  const head = ['confidence', 'rows', 'mean', 'accuracy']
  const rows = reliability.map(({ from, to, rows: count, confidence, accuracy }) => [
    `${from.toFixed(1)} to ${to.toFixed(1)}`,
    grouped(count),
    fixed(confidence),
    fixed(accuracy),
  ])
  return aligned([head, ...rows], 1)
}

/** As truth, or as somebody's answer. */
function occurring(labels: readonly string[], judges: SideBySide): string[] {
  return labels.filter((label) =>
    judges.some(([, { labels: by }]) => {
      const { support = 0, answers = 0 } = by[label] ?? {}
      return support + answers > 0
    }),
  )
}

function grouped(count: number): string {
  return Math.round(count).toLocaleString('en')
}

function fixed(value: number): string {
  return value.toFixed(3)
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${fixed(Math.abs(value))}`
}

/** Columns two blanks apart; the first `names` of them flush left, the figures after them flush right. */
function aligned(rows: readonly (readonly string[])[], names: number): string[] {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < names ? cell.padEnd(widthOf(column)) : cell.padStart(widthOf(column)),
      )
      .join('  '),
  )
}
