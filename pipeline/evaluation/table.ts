/** Figures as text for a terminal: the numbers of the reports, none of its own. */
import { kinds, type Post } from '../../ingest/contract.ts'
import type { MetricName } from './metrics.ts'
import type { Difference, JudgeFigures, JudgeReport } from './report.ts'

/** Judges side by side, in this order. */
export type SideBySide = readonly (readonly [judge: string, figures: JudgeFigures])[]

export const metricTitles: Readonly<Record<MetricName, string>> = {
  accuracy: 'accuracy',
  macroF1: 'macro-F1',
  weightedF1: 'weighted F1',
  logLoss: 'log-loss',
  brier: 'Brier',
  calibrationError: 'ECE',
}
const metrics = Object.keys(metricTitles) as MetricName[]

/** The whole, and each kind beside it where there are both: metrics, then differences where some are given. */
export function partSections(
  judges: readonly (readonly [judge: string, report: JudgeReport])[],
  differences: readonly Difference[],
  speeds?: ReadonlyMap<string, number>,
): string[][] {
  const present = kinds.filter((kind) =>
    judges.some(([, report]) => report.kinds[kind] !== undefined),
  )
  const section = (kind: Difference['kind'], figures: SideBySide) => {
    const ofKind = differences.filter((difference) => difference.kind === kind)
    return [
      `${kind}, ${counted(figures[0]?.[1].rows ?? 0, 'row')}`,
      ...metricLines(figures, kind === 'all' ? speeds : undefined),
      ...(ofKind.length > 0 ? ['', ...differenceLines(ofKind)] : []),
    ]
  }
  const ofKind = (kind: Post['kind']): SideBySide =>
    judges.flatMap(([judge, { kinds: by }]) => (by[kind] ? [[judge, by[kind]] as const] : []))
  return [
    section('all', judges),
    ...(present.length < 2 ? [] : present.map((kind) => section(kind, ofKind(kind)))),
  ]
}

/** One line a metric with its interval, one column a judge. `speeds` by judge. */
function metricLines(
  judges: SideBySide,
  speeds: ReadonlyMap<string, number> = new Map(),
): string[] {
  const rows = metrics.map((name) => [
    metricTitles[name],
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
function differenceLines(differences: readonly Difference[]): string[] {
  const rows = metrics.map((name) => [
    metricTitles[name],
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

export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`
}

function grouped(count: number): string {
  return Math.round(count).toLocaleString('en')
}

export function fixed(value: number): string {
  return value.toFixed(3)
}

/** A difference that rounds to nothing has no sign of its own. */
export function signed(value: number): string {
  const size = fixed(Math.abs(value))
  return `${value < 0 && Number(size) > 0 ? '-' : '+'}${size}`
}

/** Columns two blanks apart; the first `names` of them flush left, the figures after them flush right. */
export function aligned(rows: readonly (readonly string[])[], names: number): string[] {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < names ? cell.padEnd(widthOf(column)) : cell.padStart(widthOf(column)),
      )
      .join('  '),
  )
}
