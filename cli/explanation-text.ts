/** An explanation as lines for people. Whatever strangers wrote is made inert. */
import { inert } from '../infra/inert.ts'
import type { ExplainedExpert, ExplainedTask, Explanation } from '../pipeline/allocator/explain.ts'

const shownText = 200

export function explanationText(found: Explanation): string {
  return `${[...head(found), ...found.tasks.flatMap(taskLines), ...foot(found)].join('\n')}\n`
}

function head(found: Explanation): string[] {
  const { outcome, reason, text, strategy, weightsVersion } = found
  const feedback = weightsVersion < 0 ? 'without feedback' : `feedback up to ${weightsVersion}`
  return [
    `${inert(found.postId)}, version ${found.version}: ${inert(found.source)}, ${inert(found.kind)}, ${inert(found.language)}`,
    `  ${inert(text.slice(0, shownText))}${text.length > shownText ? '...' : ''}`,
    `  stored at ${inert(found.logTopic)}/${found.partition}/${found.offset}, scored at ${inert(found.scoredAt)}${found.revision === 0 ? '' : ` by re-scoring ${found.revision}`}`,
    outcome === 'scored'
      ? `  strategy ${inert(strategy)}, ${feedback}${found.degraded ? ', degraded: an expert is missing that should have been heard' : ''}`
      : `  outcome ${inert(outcome)}${reason === '' ? '' : `: ${inert(reason)}`}`,
  ]
}

function taskLines(task: ExplainedTask): string[] {
  const { fusion, fused, result, stored, temperature, labels, doubt, equal } = task
  if (task.experts.length === 0) return ['', `${task.task}: nobody judges it`]
  const shown = labelsToShow(task)
  const lines = ['', `${task.task}, ${shown.map((label) => labels[label] ?? '').join(' / ')}`]
  const vector = (values: readonly number[]) =>
    values.length === 0 ? '-' : shown.map((label) => values[label] ?? 0).join('  ')
  lines.push(...task.experts.map((expert) => expertLine(expert, vector)))
  if (stored.length === 0) return [...lines, '  nobody ran']
  if (result.length > 0)
    lines.push(
      `  ${inert(fusion)} of the shares: ${vector(fused)}`,
      `  temperature ${temperature}: ${vector(result)}`,
    )
  lines.push(`  stored: ${vector(stored)}`)
  const verdict = equal ? 'the same, bit for bit' : 'NOT the same'
  return [...lines, `  repeated: ${doubt === '' ? verdict : `not possible, ${doubt}`}`]
}

const shownLabels = 3

/** All three sentiments; the likeliest of the topics. */
function labelsToShow({ labels, stored, experts }: ExplainedTask): number[] {
  const values = stored.length > 0 ? stored : (experts[0]?.probabilities ?? [])
  if (labels.length <= shownLabels) return [...labels.keys()]
  return [...labels.keys()]
    .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0))
    .slice(0, shownLabels)
}

function expertLine(
  expert: ExplainedExpert,
  vector: (values: readonly number[]) => string,
): string {
  const { name, version, ran, shadow, runProbability, costMs, share, probabilities } = expert
  const who = `  ${inert(name)} ${inert(version)}`
  const listened = shadow ? ' as a shadow, without effect,' : ''
  if (!ran) return `${who}${listened} did not run`
  const counts = shadow ? '' : `share ${share}, `
  return `${who}${listened} ran (probability ${runProbability}, ${costMs} ms), ${counts}says ${vector(probabilities)}`
}

function foot({ outcome, score, confidence, topic, equal }: Explanation): string[] {
  if (outcome !== 'scored') return []
  return [
    '',
    `score ${score} = P(positive) - P(negative), confidence ${confidence}, topic ${topic === '' ? '-' : inert(topic)}`,
    equal
      ? 'Every stored number equals what the row repeats, bit for bit.'
      : 'Not every stored number could be repeated.',
  ]
}
