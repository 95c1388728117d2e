/** The text form of an evaluation. */
import { type EvaluationDocument, fusedName } from './document.ts'
import type { Difference, JudgeFigures, JudgeReport } from './report.ts'
import {
  confusionLines,
  differenceLines,
  labelLines,
  metricLines,
  reliabilityLines,
  type SideBySide,
} from './table.ts'

/** Each kind beside the whole where there are both; the whole alone where there is one. */
export function evaluationText(document: EvaluationDocument): string {
  const { labels, fused } = document
  const kinds = Object.keys(fused.kinds)
  const whole = sideBySide(document, (judge) => judge)
  const sections = [
    headLines(document, kinds),
    partLines(document, 'all', whole),
    ...(kinds.length === 1 ? [] : kinds.map((kind) => kindLines(document, kind))),
    ['by label', ...labelLines(labels, whole)],
    [
      `confusion of ${fusedName}: a line a true label, a column an answer`,
      ...confusionLines(labels, fused),
    ],
    [`reliability of ${fusedName}`, ...reliabilityLines(fused)],
    speedLines(document),
  ]
  return sections.map((lines) => `${lines.join('\n')}\n`).join('\n')
}

function headLines(
  { task, rows, bootstrap }: EvaluationDocument,
  kinds: readonly string[],
): string[] {
  const { judged, unlabelled, bad, otherLanguage } = rows
  const unit = bootstrap.unit === 'repeats' ? 'texts with the same words' : 'near-duplicates'
  return [
    `${task}: ${counted(judged, 'row')} judged (${kinds.join(', ')})`,
    ...(unlabelled > 0 ? [`${counted(unlabelled, 'row')} without a ${task} left out`] : []),
    ...(bad > 0 ? [`${counted(bad, 'bad row')} left out`] : []),
    ...(otherLanguage > 0
      ? [
          `${counted(otherLanguage, 'row')} in another language judged all the same; a monitor stores such posts as unsupported`,
        ]
      : []),
    `intervals: 95%, bootstrap of ${counted(bootstrap.resamples, 'resample')} over ${counted(bootstrap.clusters, 'cluster')} of ${unit}`,
  ]
}

function partLines(
  document: EvaluationDocument,
  kind: Difference['kind'],
  judges: SideBySide,
): string[] {
  const speeds = new Map(
    judges.map(([judge]) => [judge, judgeOf(document, judge)?.textsPerSecond ?? Number.NaN]),
  )
  const differences = document.differences.filter((difference) => difference.kind === kind)
  const rows = judges[0]?.[1].rows ?? 0
  return [
    `${kind}, ${counted(rows, 'row')}`,
    ...metricLines(judges, kind === 'all' ? speeds : undefined),
    ...(judges.length > 2 ? ['', ...differenceLines(differences)] : []),
  ]
}

function kindLines(document: EvaluationDocument, kind: string): string[] {
  return kind === 'news' || kind === 'comment'
    ? partLines(
        document,
        kind,
        sideBySide(document, ({ kinds }) => kinds[kind]),
      )
    : []
}

function sideBySide(
  document: EvaluationDocument,
  figuresOf: (judge: JudgeReport) => JudgeFigures | undefined,
): SideBySide {
  return [...Object.keys(document.experts), fusedName].flatMap((name) => {
    const judge = judgeOf(document, name)
    const figures = judge === undefined ? undefined : figuresOf(judge)
    return figures === undefined ? [] : [[name, figures] as const]
  })
}

function judgeOf({ fused, experts }: EvaluationDocument, name: string) {
  return name === fusedName ? fused : experts[name]
}

function speedLines({ speed }: EvaluationDocument): string[] {
  const { texts, batch, workers } = speed
  const read = `texts/s by the wall clock over the first ${counted(texts, 'text')} in batches of ${batch}`
  if (workers === undefined) return [`${read}, in one thread`]
  const count =
    workers.count === 0
      ? 'as many workers as the machine suggests'
      : counted(workers.count, 'worker')
  return [`${read}; encoders on ${count} (${workers.provider})`]
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
