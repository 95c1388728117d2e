/**
 * From what the experts said of a post to the columns of its row. Every number that enters the result is rounded to the 32 bits of its column first,
 * so that whoever reads the row can repeat the arithmetic and gets the very same digits.
 */
import type { Post } from '../../ingest/contract.ts'
import { type AnalysisRow, type Task, tasks, topicLabels } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import { argmax } from '../experts/probabilities.ts'
import type { Heard, Plan } from './allocator.ts'
import { type Calibration, tempered } from './calibration.ts'
import { fuse, renormalised } from './fusion.ts'
import type { Costs } from './price.ts'
import type { StaticWeights } from './static.ts'

/** The columns of an analysis that experts and fusion decide. Topic is empty where no expert that ran judges it. */
export type Judgement = Pick<
  AnalysisRow,
  | 'topic'
  | 'topic_probabilities'
  | 'negative'
  | 'neutral'
  | 'positive'
  | 'score'
  | 'reference_score'
  | 'confidence'
  | `experts.${'name' | 'version' | 'task' | 'weight' | 'probabilities' | 'ran' | 'run_probability' | 'shadow' | 'cost_ms'}`
  | 'strategy'
  | 'fusion'
  | 'sentiment_temperature'
  | 'topic_temperature'
  | 'degraded'
  | 'weights_version'
>

export interface JudgementDeps {
  readonly experts: readonly Expert[]
  readonly costs?: Costs
  readonly calibration: Calibration
  /** Weights of `reference_score`. */
  readonly referenceWeights: StaticWeights
}

/** What was asked about a post, and what was said. */
export interface HeardPost {
  readonly post: { readonly kind: Post['kind'] }
  /** UTF-16 units of text and title. */
  readonly textLength: number
  readonly plan: Plan
  readonly heard: Heard
  /** What shadows said in time. */
  readonly overheard: Heard
}

/** An expert on one task of a post. */
interface Ballot {
  readonly expert: Expert
  readonly task: Task
  /** After renormalisation over the experts that ran; 0 for one that did not. */
  readonly share: number
  readonly probabilities: readonly number[] | undefined
  readonly isShadow: boolean
}

/** Undefined when nobody that ran judges the sentiment. */
export function judgementOf(deps: JudgementDeps, asked: HeardPost): Judgement | undefined {
  const { plan, heard } = asked
  const { kind } = asked.post
  const ballots = tasks.flatMap((task) => ballotsOn(task, deps.experts, plan, heard))
  const sentiment = fused(
    deps,
    kind,
    ballots.filter(({ task }) => task === 'sentiment'),
  )
  if (sentiment.probabilities.length === 0) return undefined
  const topic = fused(
    deps,
    kind,
    ballots.filter(({ task }) => task === 'topic'),
  )
  const reference = fused(deps, kind, referenceBallots(deps, kind, ballots))
  const [negative = 0, neutral = 0, positive = 0] = sentiment.probabilities
  return {
    topic: topicLabels[topic.probabilities.length === 0 ? -1 : argmax(topic.probabilities)] ?? '',
    topic_probabilities: topic.probabilities,
    negative,
    neutral,
    positive,
    score: scoreOf(sentiment.probabilities),
    reference_score: scoreOf(reference.probabilities),
    confidence: Math.max(...sentiment.probabilities),
    ...expertColumns(deps, asked, [
      ...byExpert(deps.experts, ballots),
      ...shadowBallots(deps, asked),
    ]),
    strategy: plan.strategy,
    fusion: plan.fusion,
    sentiment_temperature: sentiment.temperature,
    topic_temperature: topic.temperature,
    degraded: plan.isDegraded(heard) || [...heard.values()].includes(undefined),
    weights_version: plan.weightsVersion,
  }
}

function ballotsOn(task: Task, experts: readonly Expert[], plan: Plan, heard: Heard): Ballot[] {
  const ballots = experts.flatMap((expert) => {
    if (!plan.experts.includes(expert.name) || !expert.tasks.includes(task)) return []
    const probabilities = heard.get(expert.name)?.[task]?.map(Math.fround)
    return [{ expert, task, probabilities, weight: plan.weight(expert.name, task) }]
  })
  return withShares(ballots)
}

function shadowBallots({ experts }: JudgementDeps, { plan, overheard }: HeardPost): Ballot[] {
  return experts
    .filter(({ name }) => plan.shadows.includes(name))
    .flatMap((expert) =>
      expert.tasks.map((task) => {
        const probabilities = overheard.get(expert.name)?.[task]?.map(Math.fround)
        return { expert, task, probabilities, share: 0, isShadow: true }
      }),
    )
}

function withShares(
  ballots: readonly (Omit<Ballot, 'share' | 'isShadow'> & { readonly weight: number })[],
): Ballot[] {
  const ran = ballots.filter(({ probabilities }) => probabilities !== undefined)
  const shares = renormalised(ran.map(({ weight }) => weight))
  const shareOf = new Map(ran.map((ballot, i) => [ballot, Math.fround(shares[i] ?? 0)]))
  return ballots.map((ballot) => ({
    expert: ballot.expert,
    task: ballot.task,
    probabilities: ballot.probabilities,
    share: shareOf.get(ballot) ?? 0,
    isShadow: false,
  }))
}

function referenceBallots(
  { referenceWeights }: JudgementDeps,
  kind: Post['kind'],
  ballots: readonly Ballot[],
): Ballot[] {
  return withShares(
    ballots.flatMap((ballot) =>
      ballot.task === 'sentiment'
        ? [{ ...ballot, weight: referenceWeights[kind][ballot.expert.name] ?? 0 }]
        : [],
    ),
  )
}

interface Fused {
  /** Empty when nobody ran. */
  readonly probabilities: number[]
  readonly temperature: number
}

function fused(
  { calibration }: JudgementDeps,
  kind: Post['kind'],
  ballots: readonly Ballot[],
): Fused {
  const opinions = ballots.flatMap(({ expert, share, probabilities }) =>
    probabilities === undefined ? [] : [{ expert: expert.name, weight: share, probabilities }],
  )
  const task = ballots[0]?.task
  if (task === undefined || opinions.length === 0) return { probabilities: [], temperature: 0 }
  const experts = opinions.map(({ expert }) => expert)
  const temperature = Math.fround(calibration.temperature({ task, kind, experts }))
  return { probabilities: tempered(fuse(opinions), temperature), temperature }
}

/** P(positive) - P(negative) */
function scoreOf(sentiment: readonly number[]): number {
  return (sentiment[2] ?? 0) - (sentiment[0] ?? 0)
}

function byExpert(experts: readonly Expert[], ballots: readonly Ballot[]): Ballot[] {
  return experts.flatMap((expert) => ballots.filter((ballot) => ballot.expert === expert))
}

function expertColumns(
  { costs }: JudgementDeps,
  { plan, heard, textLength }: HeardPost,
  ballots: readonly Ballot[],
) {
  const costOf = ({ expert, probabilities }: Ballot) =>
    probabilities === undefined ? 0 : Math.fround(costs?.msOf(expert.name, textLength) ?? 0)
  return {
    'experts.name': ballots.map(({ expert }) => expert.name),
    'experts.version': ballots.map(({ expert }) => expert.version),
    'experts.task': ballots.map(({ task }) => task),
    'experts.weight': ballots.map(({ share }) => share),
    'experts.probabilities': ballots.map(({ probabilities }) => [...(probabilities ?? [])]),
    'experts.ran': ballots.map(({ probabilities }) => probabilities !== undefined),
    'experts.run_probability': ballots.map(({ expert }) =>
      Math.fround(plan.runProbability(expert.name, heard)),
    ),
    'experts.shadow': ballots.map(({ isShadow }) => isShadow),
    'experts.cost_ms': ballots.map(costOf),
  }
}
