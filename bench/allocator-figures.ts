/** What strategies made of the same stream: accuracy, paired differences, compute. Intervals: 95%, over clusters of near-duplicates. */
import type { Post } from '../ingest/contract.ts'
import { sentiments, type Task, topicLabels } from '../pipeline/contract.ts'
import {
  differenceInterval,
  type Interval,
  type Resampled,
  resample,
} from '../pipeline/evaluation/bootstrap.ts'
import { metricsOf } from '../pipeline/evaluation/metrics.ts'
import { Outcomes, tallyOf } from '../pipeline/evaluation/tally.ts'
import type { Verdict } from './allocator-play.ts'
import type { LabelledPost } from './allocator-stream.ts'

/** Which posts of a stream. */
export interface Part {
  readonly name: string
  has(labelled: LabelledPost, index: number): boolean
}

function partOf(task: Task, kind: Post['kind']): Part {
  return {
    name: `${task}, ${kind}`,
    has: (labelled) => labelled.task === task && labelled.post.kind === kind,
  }
}

const everything: Part = { name: 'all', has: () => true }
const parts: readonly Part[] = [
  everything,
  partOf('sentiment', 'news'),
  partOf('sentiment', 'comment'),
  partOf('topic', 'news'),
]

export interface Comparison {
  readonly rows: number
  /** By judge. */
  readonly accuracies: ReadonlyMap<string, number>
  /** Accuracy of a judge less that of another one. */
  difference(judge: string, base: string): { readonly value: number; readonly interval: Interval }
}

/** Labels of all tasks in one row, so that accuracies of both can be pooled. */
const labels = sentiments.length + topicLabels.length

export function compare(
  stream: readonly LabelledPost[],
  judges: ReadonlyMap<string, readonly Verdict[]>,
  part: Part = everything,
): Comparison {
  const rows = [...stream.keys()].filter((i) => {
    const labelled = stream[i]
    return labelled !== undefined && part.has(labelled, i)
  })
  const outcomes = new Map([...judges].map(([judge, said]) => [judge, outcomesOf(stream, said)]))
  const clusters = stream.map(({ cluster }) => cluster)
  const resampled = resample(outcomes, { labels, rows, clusters })
  const accuracies = new Map(
    [...outcomes].map(([judge, of]) => [judge, metricsOf(tallyOf(of, labels, rows)).accuracy]),
  )
  return {
    rows: rows.length,
    accuracies,
    difference(judge, base) {
      const value = of(accuracies, judge) - of(accuracies, base)
      const [a, b]: Resampled[] = [of(resampled, judge), of(resampled, base)]
      if (a === undefined || b === undefined) throw new RangeError('Nothing was resampled')
      return { value, interval: differenceInterval('accuracy', value, a, b) }
    },
  }
}

function outcomesOf(stream: readonly LabelledPost[], verdicts: readonly Verdict[]): Outcomes {
  const outcomes = new Outcomes()
  for (const [i, { task, label }] of stream.entries()) {
    const before = task === 'sentiment' ? 0 : sentiments.length
    const after = task === 'sentiment' ? topicLabels.length : 0
    const padding = (length: number) => new Array<number>(length).fill(0)
    outcomes.add(before + label, [
      ...padding(before),
      ...(verdicts[i]?.probabilities ?? []),
      ...padding(after),
    ])
  }
  return outcomes
}

function of<Value>(values: ReadonlyMap<string, Value>, judge: string): Value {
  const value = values.get(judge)
  if (value === undefined) throw new RangeError(`No judge is called ${judge}`)
  return value
}

/** A line a part: rows, accuracy of each judge, differences of the pairs. */
export function accuracyLines(
  stream: readonly LabelledPost[],
  judges: ReadonlyMap<string, readonly Verdict[]>,
  pairs: readonly (readonly [judge: string, base: string])[],
  by: readonly Part[] = parts,
): string[] {
  const head = ['', 'n', ...judges.keys(), ...pairs.map(([judge, base]) => `${judge} less ${base}`)]
  const rows = by.map((part) => {
    const compared = compare(stream, judges, part)
    const accuracies = [...judges.keys()].map((judge) =>
      (100 * of(compared.accuracies, judge)).toFixed(1),
    )
    const differences = pairs.map(([judge, base]) => inPoints(compared.difference(judge, base)))
    return [part.name, `${compared.rows}`, ...accuracies, ...differences]
  })
  return [head, ...rows].map((cells) => cells.join(' | '))
}

export function meanMs(verdicts: readonly Verdict[]): number {
  return verdicts.reduce((sum, { ms }) => sum + ms, 0) / verdicts.length
}

/** '-0.3 [-0.9, +0.2]', in points. */
export function inPoints({ value, interval: [low, high] }: ReturnType<Comparison['difference']>) {
  return `${points(value)} [${points(low)}, ${points(high)}]`
}

function points(value: number): string {
  const shown = (100 * value).toFixed(1)
  return value >= 0 ? `+${shown}` : shown
}
