/**
 * Judges posts: a plan for each, then in stages ask the experts that the plans name next, each once for all posts that want it, until no plan wants
 * another; fuse, calibrate. An expert that fails on a batch is left out of it, the weights of the others are renormalised and the rows say so;
 * without any opinion on sentiment the batch is refused, so that consumption pauses. A text that an expert calls lethal is not judged at all.
 */
import { AppError } from '../../infra/errors.ts'
import type { Post } from '../../ingest/contract.ts'
import { sentiments, type Task, topicLabels } from '../contract.ts'
import {
  type Call,
  type Expert,
  type ExpertOutput,
  isLethal,
  type Lethal,
} from '../experts/expert.ts'
import type { AllocationContext, Allocator, Plan } from './allocator.ts'
import type { Calibration } from './calibration.ts'
import { type Judgement, judgementOf } from './judgement.ts'
import type { Stacking } from './stacking.ts'
import type { StaticWeights } from './static.ts'

export interface JudgedPost {
  readonly source: string
  readonly kind: Post['kind']
  readonly language: string
  readonly text: string
  /** Empty without one. */
  readonly title: string
  readonly position: AllocationContext['position']
}

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
  /** Without it whoever asks for stacking gets an average. */
  readonly stacking?: Stacking
  /** Weights of `reference_score`. */
  readonly referenceWeights: StaticWeights
  readonly onExpertFailure: (expert: string, error: unknown) => void
  readonly onExpertAnswer?: (expert: string) => void
}

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
      const hearings = posts.map((post) => hearingOf(deps, post))
      while (await hearNext(deps, hearings, call));
      return hearings.map(({ post, plan, heard, lethal }) => {
        if (lethal !== undefined) return lethal
        const judgement = judgementOf(deps, post.kind, plan, heard)
        if (judgement === undefined) throw noExpert('No expert could judge the sentiment of a post')
        return judgement
      })
    },
    async close() {
      isClosed = true
      await Promise.all(deps.experts.map((expert) => expert.close()))
    },
  }
}

/** A post while it is judged. */
interface Hearing {
  readonly post: JudgedPost
  readonly plan: Plan
  readonly heard: Map<string, ExpertOutput | undefined>
  lethal: Lethal | undefined
}

function hearingOf({ allocator }: AnalystDeps, post: JudgedPost): Hearing {
  const plan = allocator.plan({ ...post, textLength: post.text.length + post.title.length })
  return { post, plan, heard: new Map(), lethal: undefined }
}

/** One stage: everybody whom a plan wants next is asked once. False when nobody is. */
async function hearNext(
  deps: AnalystDeps,
  hearings: readonly Hearing[],
  call: Call | undefined,
): Promise<boolean> {
  const wanted = hearings.map(({ plan, heard, lethal }) =>
    lethal === undefined ? plan.next(heard) : [],
  )
  if (wanted.every((names) => names.length === 0)) return false
  await Promise.all(
    deps.experts.map((expert) => {
      const asking = hearings.filter((_, i) => wanted[i]?.includes(expert.name))
      return asking.length === 0 ? undefined : hear(deps, expert, asking, call)
    }),
  )
  return true
}

async function hear(
  deps: AnalystDeps,
  expert: Expert,
  hearings: readonly Hearing[],
  call: Call | undefined,
): Promise<void> {
  const answers = await ask(
    deps,
    expert,
    hearings.map(({ post }) => post),
    call,
  )
  for (const [i, hearing] of hearings.entries()) {
    const answer = answers[i]
    if (answer !== undefined && isLethal(answer)) hearing.lethal = answer
    else hearing.heard.set(expert.name, answer)
  }
}

/** Its answers in the order of the posts; none when it failed. */
async function ask(
  { onExpertFailure, onExpertAnswer }: AnalystDeps,
  expert: Expert,
  posts: readonly JudgedPost[],
  call: Call | undefined,
): Promise<readonly (ExpertOutput | Lethal)[]> {
  try {
    const down = expert.health?.()
    if (down !== undefined) throw down
    const outputs = await expert.classify(posts, call)
    if (outputs.length !== posts.length || !outputs.every(isWellFormed))
      throw new RangeError('The answer has another shape than one distribution a text and task')
    onExpertAnswer?.(expert.name)
    return outputs
  } catch (error) {
    onExpertFailure(expert.name, error)
    return []
  }
}

function noExpert(message: string): AppError {
  return new AppError('NO_EXPERT', message, { retryable: true })
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
