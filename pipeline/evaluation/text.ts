/** The text form of an evaluation. */
import { type EvaluationDocument, fusedName } from './document.ts'
import { confusionLines, counted, labelLines, partSections, reliabilityLines } from './table.ts'

export function evaluationText(document: EvaluationDocument): string {
  const { labels, fused, experts, differences } = document
  const judges = [...Object.entries(experts), [fusedName, fused] as const]
  const speeds = new Map(judges.map(([judge, { textsPerSecond }]) => [judge, textsPerSecond]))
  const sections = [
    headLines(document, Object.keys(fused.kinds)),
    ...partSections(judges, judges.length > 2 ? differences : [], speeds),
    ['by label', ...labelLines(labels, judges)],
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

function speedLines({ speed }: EvaluationDocument): string[] {
  const { texts, batch, workers } = speed
  const read = `texts/s by the wall clock over the first ${counted(texts, 'text')} in batches of ${batch}`
  if (workers === undefined) return [`${read}, in one thread`]
  const { count, threads, provider } = workers
  const each = count === 1 ? ' of' : ', each of'
  return [
    `${read}; encoders on ${counted(count, 'worker')}${each} ${counted(threads, 'thread')} (${provider})`,
  ]
}
