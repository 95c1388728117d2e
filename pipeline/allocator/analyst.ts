/**
 * Judges posts: allocate, ask each expert once for the posts it is assigned, fuse, calibrate. An expert that fails on a batch is left out of it,
 * the weights of the others are renormalised and the rows say so; without any opinion on sentiment the batch is refused, so that consumption pauses.
 * A text that an expert calls lethal is not judged at all.
 */
import { AppError } from '../../infra/errors.ts'
import type { Post } from '../../ingest/contract.ts'
import { type AnalysisRow, sentiments, type Task, topicLabels } from '../contract.ts'
import {
  type Call,
  type Expert,
  type ExpertOutput,
  isLethal,
  type Lethal,
} from '../experts/expert.ts'
import { argmax } from '../experts/probabilities.ts'
import type { Allocation, AllocationContext, Allocator } from './allocator.ts'
import type { Calibration } from './calibration.ts'
import { fuse, renormalised } from './fusion.ts'
import type { StaticWeights } from './static.ts'

export interface JudgedPost {
  readonly kind: Post['kind']
  readonly language: string
  readonly text: string
  /** Empty without one. */
  readonly title: string
  readonly position: AllocationContext['position']
}

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
  | `experts.${'name' | 'version' | 'task' | 'weight' | 'probabilities' | 'ran' | 'run_probability'}`
  | 'strategy'
  | 'degraded'
  | 'weights_version'
>

export interface Analyst {
  /** One judgement a post, in order, whatever else is in the batch. Throws a retryable `NO_EXPERT` when none could judge the sentiment. */
  judge(posts: readonly JudgedPost[], call?: Call): Promise<(Judgement | Lethal)[]>
  /** What is still asked then goes without the experts that had not answered; that is no failure of theirs, and not reported as one. */
  close(): Promise<void>
}

export interface AnalystDeps {
  readonly experts: readonly Expert[]
  readonly allocator: Allocator
  readonly calibration: Calibration
  /** Weights of `reference_score`. */
  readonly referenceWeights: StaticWeights
  readonly onExpertFailure: (expert: string, error: unknown) => void
  readonly onExpertAnswer?: (expert: string) => void
}

/** Answers of one expert to one batch, by index of the post. */
type Answers = ReadonlyMap<number, ExpertOutput | Lethal>

export function createAnalyst(given: AnalystDeps): Analyst {
  let isClosed = false
  const deps: AnalystDeps = {
    ...given,
    onExpertFailure: (expert, error) => {
      if (!isClosed) given.onExpertFailure(expert, error)
    },
  }
  return {
    async judge(posts, call) {
      if (isClosed) throw noExpert('The experts are closed')
      const allocations = posts.map((post) =>
        deps.allocator.allocate({ ...post, textLength: post.text.length }),
      )
      const answers = new Map(
        await Promise.all(
          deps.experts.map(
            async (expert): Promise<[string, Answers]> => [
              expert.name,
              await ask(deps, expert, posts, allocations, call),
            ],
          ),
        ),
      )
      return posts.map((post, i) => {
        const allocation = allocations[i]
        if (allocation === undefined) throw new RangeError(`No allocation for post ${i}`)
        return judgement(deps, post, allocation, (expert) => answers.get(expert)?.get(i))
      })
    },
    async close() {
      isClosed = true
      await Promise.all(deps.experts.map((expert) => expert.close()))
    },
  }
}

async function ask(
  { onExpertFailure, onExpertAnswer }: AnalystDeps,
  expert: Expert,
  posts: readonly JudgedPost[],
  allocations: readonly Allocation[],
  call: Call | undefined,
): Promise<Answers> {
  const asked = [...posts.keys()].filter((i) =>
    allocations[i]?.assignments.some((assignment) => assignment.expert === expert.name),
  )
  if (asked.length === 0) return new Map()
  try {
    const down = expert.health?.()
    if (down !== undefined) throw down
    const outputs = await expert.classify(
      asked.flatMap((i) => posts[i] ?? []),
      call,
    )
    if (outputs.length !== asked.length || !outputs.every(isWellFormed))
      throw new RangeError('The answer has another shape than one distribution a text and task')
    onExpertAnswer?.(expert.name)
    return new Map(outputs.map((output, at) => [asked[at] ?? -1, output]))
  } catch (error) {
    onExpertFailure(expert.name, error)
    return new Map()
  }
}

const labelCounts: Readonly<Record<Task, number>> = {
  sentiment: sentiments.length,
  topic: topicLabels.length,
}

function isWellFormed(output: ExpertOutput | Lethal): boolean {
  if (isLethal(output)) return true
  return (['sentiment', 'topic'] as const).every((task) => {
    const probabilities = output[task]
    if (probabilities === undefined) return true
    const sum = probabilities.reduce((total, p) => total + p, 0)
    return (
      probabilities.length === labelCounts[task] &&
      probabilities.every((p) => p >= 0) &&
      Math.abs(sum - 1) < 1e-6
    )
  })
}

interface Ballot {
  readonly expert: string
  readonly task: Task
  readonly runProbability: number
  readonly weight: number
  /** Undefined when the expert did not answer. */
  readonly probabilities: readonly number[] | undefined
}

function judgement(
  deps: AnalystDeps,
  post: JudgedPost,
  allocation: Allocation,
  answerOf: (expert: string) => ExpertOutput | Lethal | undefined,
): Judgement | Lethal {
  const ballots: Ballot[] = []
  for (const assignment of allocation.assignments) {
    const answer = answerOf(assignment.expert)
    if (answer !== undefined && isLethal(answer)) return answer
    ballots.push({ ...assignment, probabilities: answer?.[assignment.task] })
  }
  const fused = (task: Task, weightOf: (ballot: Ballot) => number) => {
    const opinions = opinionsOn(task, ballots)
    if (opinions.length === 0) return []
    return deps.calibration.calibrate(
      fuse(opinions.map((o) => ({ weight: weightOf(o), probabilities: o.probabilities }))),
      { task, kind: post.kind, experts: opinions.map(({ expert }) => expert) },
    )
  }
  const sentiment = fused('sentiment', ({ weight }) => weight)
  if (sentiment.length === 0) throw noExpert('No expert could judge the sentiment of a post')
  const reference = fused('sentiment', (o) => deps.referenceWeights[post.kind][o.expert] ?? 0)
  const topic = fused('topic', ({ weight }) => weight)
  const [negative = 0, neutral = 0, positive = 0] = sentiment
  return {
    topic: topicLabels[topic.length === 0 ? -1 : argmax(topic)] ?? '',
    topic_probabilities: topic,
    negative,
    neutral,
    positive,
    score: scoreOf(sentiment),
    reference_score: scoreOf(reference),
    confidence: Math.max(...sentiment),
    ...expertColumns(deps.experts, ballots),
    strategy: allocation.strategy,
    degraded: allocation.degraded || ballots.some((ballot) => ballot.probabilities === undefined),
    weights_version: allocation.weightsVersion,
  }
}

function noExpert(message: string): AppError {
  return new AppError('NO_EXPERT', message, { retryable: true })
}

function opinionsOn(task: Task, ballots: readonly Ballot[]) {
  return ballots.flatMap((ballot) =>
    ballot.task === task && ballot.probabilities !== undefined
      ? [{ ...ballot, probabilities: ballot.probabilities }]
      : [],
  )
}

/** P(positive) - P(negative) */
function scoreOf(sentiment: readonly number[]): number {
  return (sentiment[2] ?? 0) - (sentiment[0] ?? 0)
}

/** One entry an assignment; the weights of those that ran sum to 1 in each task. */
function expertColumns(experts: readonly Expert[], ballots: readonly Ballot[]) {
  const weights = new Map<Ballot, number>()
  for (const task of new Set(ballots.map((ballot) => ballot.task))) {
    const ran = ballots.filter((b) => b.task === task && b.probabilities !== undefined)
    const shares = renormalised(ran.map(({ weight }) => weight))
    ran.forEach((ballot, i) => {
      weights.set(ballot, shares[i] ?? 0)
    })
  }
  const versions = new Map(experts.map(({ name, version }) => [name, version]))
  return {
    'experts.name': ballots.map(({ expert }) => expert),
    'experts.version': ballots.map(({ expert }) => versions.get(expert) ?? ''),
    'experts.task': ballots.map(({ task }) => task),
    'experts.weight': ballots.map((ballot) => weights.get(ballot) ?? 0),
    'experts.probabilities': ballots.map(({ probabilities }) => [...(probabilities ?? [])]),
    'experts.ran': ballots.map(({ probabilities }) => probabilities !== undefined),
    'experts.run_probability': ballots.map(({ runProbability }) => runProbability),
  }
}
