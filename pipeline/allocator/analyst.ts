/**
 * Judges posts: a plan for each, then in stages ask the experts that the plans name next, each once for all posts that want it, until no plan wants
 * another; fuse, calibrate. An expert that fails on a batch is left out of it, the weights of the others are renormalised and the rows say so;
 * without any opinion on sentiment the batch is refused, so that consumption pauses. A text that an expert calls lethal is not judged at all.
 *
 * Shadows are asked at the same time, as if for history, and only listened to: nothing waits for them but a turn that has the time (`shadowWaitMs`), and
 * whatever goes wrong with one leaves its column `ran` false.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { AppError } from '../../infra/errors.ts'
import type { Post } from '../../ingest/contract.ts'
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
import type { Costs } from './price.ts'
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
  /** All that a plan may name, those it may only listen to among them. */
  readonly experts: readonly Expert[]
  readonly allocator: Allocator
  readonly calibration: Calibration
  /** Weights of `reference_score`. */
  readonly referenceWeights: StaticWeights
  /** Without it nothing is known to cost anything. */
  readonly costs?: Costs
  /** From the beginning of a turn of so many posts: how long it may wait for shadows when all others have answered. Not at all unless told. */
  readonly shadowWaitMs?: (posts: number) => number
  /** Not told of shadows. */
  readonly onExpertFailure: (expert: string, error: unknown) => void
  readonly onExpertAnswer?: (expert: string) => void
  /** What was judged together. */
  readonly onJudged?: (judgements: readonly Judgement[]) => void
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
      const listening = listen(deps, hearings, call)
      while (await hearNext(deps, hearings, call));
      await listening.end()
      const found = hearings.map(({ lethal, ...hearing }) => {
        if (lethal !== undefined) return lethal
        const judgement = judgementOf(deps, hearing)
        if (judgement === undefined) throw noExpert('No expert could judge the sentiment of a post')
        return judgement
      })
      deps.onJudged?.(found.flatMap((each) => (isLethal(each) ? [] : [each])))
      return found
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
  /** UTF-16 units of text and title. */
  readonly textLength: number
  readonly plan: Plan
  readonly heard: Map<string, ExpertOutput | undefined>
  readonly overheard: Map<string, ExpertOutput>
  lethal: Lethal | undefined
}

function hearingOf({ allocator }: AnalystDeps, post: JudgedPost): Hearing {
  const textLength = post.text.length + post.title.length
  const plan = allocator.plan({ ...post, textLength })
  return {
    post,
    textLength,
    plan,
    heard: new Map(),
    overheard: new Map(),
    lethal: undefined,
  }
}

/** Asks the shadows. `end` resolves when they have answered or the turn's time is over; what comes later is not heard. */
function listen(
  { experts, shadowWaitMs }: AnalystDeps,
  hearings: readonly Hearing[],
  call: Call | undefined,
): { end(): Promise<void> } {
  let isOver = false
  const asked = experts.flatMap((expert) => {
    const asking = hearings.filter(({ plan }) => plan.shadows.includes(expert.name))
    return asking.length === 0 ? [] : [overhear(expert, asking, () => isOver, call)]
  })
  if (asked.length === 0) return { end: async () => {} }
  const answered = Promise.all(asked)
  const patience = new AbortController()
  const { signal } = patience
  const time = pause(shadowWaitMs?.(hearings.length) ?? 0, undefined, { signal })
  const ended = Promise.race([answered, time.catch(() => {})])
  return {
    async end() {
      await ended
      isOver = true
      patience.abort()
    },
  }
}

async function overhear(
  shadow: Expert,
  hearings: readonly Hearing[],
  isOver: () => boolean,
  call: Call | undefined,
): Promise<void> {
  try {
    const answers = await shadow.classify(
      hearings.map(({ post }) => post),
      { withinMs: Number.POSITIVE_INFINITY, ...call, priority: 'history' },
    )
    if (isOver()) return
    for (const [i, { overheard }] of hearings.entries()) {
      const answer = answers[i]
      if (answer !== undefined && !isLethal(answer)) overheard.set(shadow.name, answer)
    }
  } catch {
    // Nobody depends on it; the breaker around it says so when it lasts.
  }
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
    const outputs = await expert.classify(posts, call)
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
