/**
 * How the numbers of a row came about, from the row alone and, for stacking, the parameters at hand: who was asked, who said what, the shares, the sum, the
 * temperature, the result; and whether repeating the arithmetic gives the stored columns, bit for bit.
 */
import Type from 'typebox'
import { kinds, type Post } from '../../ingest/contract.ts'
import {
  type AnalysisRow,
  type FusionMethod,
  fusionMethods,
  sentiments,
  type Task,
  topicLabels,
} from '../contract.ts'
import { argmax } from '../experts/probabilities.ts'
import { tempered } from './calibration.ts'
import { fuse } from './fusion.ts'
import type { Stacking } from './stacking.ts'

const Numbers = Type.Array(Type.Number())

export const ExplainedExpert = Type.Object({
  name: Type.String(),
  version: Type.String(),
  ran: Type.Boolean(),
  shadow: Type.Boolean(),
  runProbability: Type.Number(),
  costMs: Type.Number(),
  share: Type.Number({ description: 'In the fusion; the shares of those that ran sum to 1.' }),
  probabilities: Numbers,
})
export type ExplainedExpert = Type.Static<typeof ExplainedExpert>

export const ExplainedTask = Type.Object({
  task: Type.String(),
  labels: Type.Array(Type.String()),
  experts: Type.Array(ExplainedExpert),
  fusion: Type.String({ description: "What was done; '' where nobody ran." }),
  temperature: Type.Number(),
  fused: Type.Array(Type.Number(), { description: 'Repeated: before calibration.' }),
  result: Type.Array(Type.Number(), { description: 'Repeated: after it.' }),
  stored: Numbers,
  equal: Type.Boolean({ description: 'The result is the stored one, bit for bit.' }),
  doubt: Type.String({ description: "Why it could not be repeated; '' where it could." }),
})
export type ExplainedTask = Type.Static<typeof ExplainedTask>

export const Explanation = Type.Object({
  postId: Type.String(),
  version: Type.Integer(),
  revision: Type.Integer({
    description: '0: as it was judged live; else of the re-scoring in force.',
  }),
  logTopic: Type.String(),
  partition: Type.Integer(),
  offset: Type.Integer(),
  scoredAt: Type.String(),
  outcome: Type.String(),
  reason: Type.String(),
  source: Type.String(),
  kind: Type.String(),
  language: Type.String(),
  text: Type.String(),
  strategy: Type.String(),
  weightsVersion: Type.Integer(),
  degraded: Type.Boolean(),
  tasks: Type.Array(ExplainedTask),
  score: Type.Number({ description: 'Stored.' }),
  confidence: Type.Number(),
  topic: Type.String(),
  equal: Type.Boolean({ description: 'All that is stored equals what was repeated.' }),
})
export type Explanation = Type.Static<typeof Explanation>

/** The row of the post itself (ordinal 0). Numbers of it are taken as the 32-bit floats that the table holds. */
export function explain(
  row: AnalysisRow & { readonly revision?: number },
  stacking: Stacking | undefined,
): Explanation {
  const isScored = row.outcome === 'scored'
  const sentiment = [row.negative, row.neutral, row.positive]
  const explained = isScored
    ? [
        explainTask(row, stacking, 'sentiment', row.fusion, row.sentiment_temperature, sentiment),
        explainTask(
          row,
          stacking,
          'topic',
          row.topic_fusion,
          row.topic_temperature,
          row.topic_probabilities,
        ),
      ]
    : []
  return {
    postId: row.post_id,
    version: row.version,
    revision: row.revision ?? 0,
    logTopic: row.log_topic,
    partition: row.partition,
    offset: Number(row.offset),
    scoredAt: row.scored_at,
    outcome: row.outcome,
    reason: row.reason,
    source: row.source,
    kind: row.kind,
    language: row.language,
    text: row.text,
    strategy: row.strategy,
    weightsVersion: Number(row.weights_version),
    degraded: row.degraded,
    tasks: explained,
    score: row.score,
    confidence: row.confidence,
    topic: row.topic,
    equal: isScored && explained.every(({ equal }) => equal) && derivedAreEqual(row, explained),
  }
}

function explainTask(
  row: AnalysisRow,
  stacking: Stacking | undefined,
  task: Task,
  fusion: string,
  temperature: number,
  stored: readonly number[],
): ExplainedTask {
  const experts = expertsOf(row, task)
  const explained = {
    task,
    labels: task === 'sentiment' ? [...sentiments] : [...topicLabels],
    experts,
    fusion,
    temperature,
    stored: [...stored],
  }
  const opinions = experts
    .filter(({ ran, shadow }) => ran && !shadow)
    .map(({ name, share, probabilities }) => ({
      expert: name,
      weight: Math.fround(share),
      probabilities: probabilities.map(Math.fround),
    }))
  if (opinions.length === 0)
    return { ...explained, fused: [], result: [], equal: stored.length === 0, doubt: '' }
  const method = fusionMethods.find((each) => each === fusion)
  const kind = kinds.find((each) => each === row.kind)
  const doubt = doubtOf(method, kind, temperature)
  if (method === undefined || kind === undefined || doubt !== '')
    return { ...explained, fused: [], result: [], equal: false, doubt }
  const done = fuse(method, opinions, { task, kind, stacking })
  const result = tempered(done.probabilities, Math.fround(temperature))
  const equal = done.method === method && areEqual(result, stored)
  return {
    ...explained,
    fused: done.probabilities,
    result,
    equal,
    doubt: !equal && method === 'stacking' ? otherParameters : '',
  }
}

const otherParameters = 'the stacking parameters at hand are not those that it was scored with'

function doubtOf(
  method: FusionMethod | undefined,
  kind: Post['kind'] | undefined,
  temperature: number,
): string {
  if (method === undefined) return 'its fusion is none of this version'
  if (kind === undefined) return 'its kind is none of this version'
  return temperature > 0 ? '' : 'it was scored before temperatures were stored'
}

function expertsOf(row: AnalysisRow, task: Task): ExplainedExpert[] {
  return row['experts.name'].flatMap((name, i) => {
    if (row['experts.task'][i] !== task) return []
    return [
      {
        name,
        version: row['experts.version'][i] ?? '',
        ran: row['experts.ran'][i] ?? false,
        shadow: row['experts.shadow'][i] ?? false,
        runProbability: row['experts.run_probability'][i] ?? 0,
        costMs: row['experts.cost_ms'][i] ?? 0,
        share: row['experts.weight'][i] ?? 0,
        probabilities: row['experts.probabilities'][i] ?? [],
      },
    ]
  })
}

/** Columns that follow from the results. */
function derivedAreEqual(row: AnalysisRow, [sentiment, topic]: readonly ExplainedTask[]): boolean {
  const [negative = 0, , positive = 0] = sentiment?.result ?? []
  const named =
    topic === undefined || topic.result.length === 0 ? '' : topicLabels[argmax(topic.result)]
  return (
    areEqual([positive - negative], [row.score]) &&
    areEqual([Math.max(...(sentiment?.result ?? []))], [row.confidence]) &&
    named === row.topic
  )
}

/** To the 32 bits of their columns. */
function areEqual(repeated: readonly number[], stored: readonly number[]): boolean {
  return (
    repeated.length === stored.length &&
    repeated.every((value, i) => Math.fround(value) === Math.fround(stored[i] ?? Number.NaN))
  )
}
