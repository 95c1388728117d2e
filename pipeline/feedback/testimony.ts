/** What every loaded expert says of labelled posts: from the row where it ran on the post, asked now where it did not. */
import { describeError } from '../../infra/errors.ts'
import { kinds } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import {
  type Call,
  type Expert,
  type ExpertOutput,
  isLethal,
  type Lethal,
} from '../experts/expert.ts'
import { type NotTaken, notNow, refuse } from './label.ts'
import type { Testimony } from './record.ts'
import { placeOf, type ScoredPost } from './scored-posts.ts'

export interface TestimonyDeps {
  /** Shadows too. */
  readonly experts: readonly Expert[]
  /** Whether the expert of this name is only listened to at the moment. */
  readonly isShadow: (expert: string) => boolean
  readonly call: Call
}

export interface Question {
  readonly post: ScoredPost
  readonly task: Task
}

type Answer = ExpertOutput | Lethal | { readonly failure: string }

/** By expert and place; one that stands in the row already is not asked. */
type Answers = ReadonlyMap<Expert, ReadonlyMap<string, Answer>>

/** In the order of the questions: one testimony for each expert that judges the task, or why there are none. */
export async function testimoniesOn(
  deps: TestimonyDeps,
  questions: readonly Question[],
): Promise<(readonly Testimony[] | NotTaken)[]> {
  const answers: Answers = new Map(
    await Promise.all(
      deps.experts.map(
        async (expert) => [expert, await askAbout(deps, expert, questions)] as const,
      ),
    ),
  )
  return questions.map((question) => {
    const experts = deps.experts.filter(({ tasks }) => tasks.includes(question.task))
    if (experts.length === 0)
      return refuse('no-expert', `no expert that is loaded judges the ${question.task}`)
    const testimonies: Testimony[] = []
    for (const expert of experts) {
      const spoken = testimonyOf(deps, expert, question, answers)
      if ('verdict' in spoken) return spoken
      testimonies.push(spoken)
    }
    return testimonies
  })
}

/** One call for all posts that the expert did not judge when they were scored. */
async function askAbout(
  { call }: TestimonyDeps,
  expert: Expert,
  questions: readonly Question[],
): Promise<ReadonlyMap<string, Answer>> {
  const unheard = questions.filter(
    ({ post, task }) => expert.tasks.includes(task) && said(expert, post, task) === undefined,
  )
  const posts = [...new Map(unheard.map(({ post }) => [placeOf(post), post])).values()]
  if (posts.length === 0) return new Map()
  const inputs = posts.map(({ kind, text, title }) => ({ kind: kindOf(kind), text, title }))
  try {
    const down = expert.health?.()
    if (down !== undefined) throw down
    const outputs = await expert.classify(inputs, call)
    return new Map(posts.map((post, i) => [placeOf(post), outputs[i] ?? noAnswer]))
  } catch (error) {
    const failure = { failure: describeError(error) }
    return new Map(posts.map((post) => [placeOf(post), failure]))
  }
}

const noAnswer = { failure: 'it answered for fewer texts than it was asked about' }

function testimonyOf(
  { isShadow }: TestimonyDeps,
  expert: Expert,
  { post, task }: Question,
  answers: Answers,
): Testimony | NotTaken {
  const { name, version } = expert
  const then = said(expert, post, task)
  if (then !== undefined) return { name, version, ...then, ran: true }
  const now = answers.get(expert)?.get(placeOf(post)) ?? noAnswer
  if ('failure' in now)
    return notNow('expert-failed', `the expert ${name} cannot judge the post now: ${now.failure}`)
  if (isLethal(now)) return refuse('unreadable', `the expert ${name} cannot read it: ${now.lethal}`)
  // To the 32 bits that it would have in the row.
  const probabilities = (now[task] ?? []).map(Math.fround)
  return { name, version, probabilities, ran: false, shadow: isShadow(name) }
}

/** What this version of the expert said when the post was scored. */
function said(
  { name, version }: Expert,
  post: ScoredPost,
  task: Task,
): Pick<Testimony, 'probabilities' | 'shadow'> | undefined {
  const at = post['experts.name'].findIndex(
    (expert, i) =>
      expert === name &&
      post['experts.version'][i] === version &&
      post['experts.task'][i] === task &&
      post['experts.ran'][i],
  )
  const probabilities = post['experts.probabilities'][at]?.map(Math.fround)
  if (probabilities === undefined) return undefined
  return { probabilities, shadow: post['experts.shadow'][at] ?? false }
}

/** The table's column is plain text; a row of another kind was never scored. */
export function kindOf(text: string): (typeof kinds)[number] {
  return kinds.find((kind) => kind === text) ?? 'news'
}
