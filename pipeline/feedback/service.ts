/**
 * Takes labels: finds the post, hears the experts that had not run on it, and appends a record with all that the fold over `feedback` needs.
 *
 * Chunks whose posts are found are taken one after another, so that two equal labels at the same time are seen as such by this process; a label that
 * waits for its post holds up none of another request. (Two processes may both append: whoever folds the topic knows a repeated label by its post, task,
 * labeller and value.)
 */
import type { Log } from '../../infra/log/log.ts'
import { type AppendDeps, appendVotes, nameOf, type Vote } from './append-votes.ts'
import { type FindDeps, findScored } from './find-scored.ts'
import { type Label, type NotTaken, notNow, refuse, type Taken, type Through } from './label.ts'
import { placeOf, type ScoredPost } from './scored-posts.ts'

export interface FeedbackDeps extends FindDeps, AppendDeps {
  readonly log: Pick<Log, 'append' | 'endOffsets'>
  /** How long a request waits for posts to be scored; 2 s unless told. */
  readonly patienceMs?: number
}

export interface Feedback {
  /** Resolves when the label is durable in the topic, or with why it is not. Throws STORE when the store does not answer. */
  take(label: Label, through: Through): Promise<Taken>
  /** One answer a label, in order. */
  takeAll(labels: readonly Label[], through: Through): Promise<Taken[]>
  /** Waits for what is being taken; later labels are told to come again. Idempotent. */
  stop(): Promise<void>
}

/** Of one call to the experts and one append. */
const chunkLabels = 100
const defaultPatienceMs = 2_000

export function createFeedback(deps: FeedbackDeps): Feedback {
  const { clock, patienceMs = defaultPatienceMs } = deps
  const underWay = new Set<Promise<unknown>>()
  let isStopped = false
  let inHand: Promise<unknown> = Promise.resolve()

  async function takeChunk(
    chunk: readonly Label[],
    through: Through,
    until: number,
  ): Promise<Taken[]> {
    if (isStopped) return stopping(chunk)
    const posts = await findScored(deps, chunk, until)
    const taken = inHand.then(() =>
      isStopped ? stopping(chunk) : takeFound(deps, chunk, posts, through),
    )
    inHand = taken.catch(() => undefined)
    return taken
  }

  async function takeChunks(labels: readonly Label[], through: Through): Promise<Taken[]> {
    const until = clock() + patienceMs
    const taken: Taken[] = []
    for (let at = 0; at < labels.length; at += chunkLabels)
      taken.push(...(await takeChunk(labels.slice(at, at + chunkLabels), through, until)))
    return taken
  }

  async function takeAll(labels: readonly Label[], through: Through): Promise<Taken[]> {
    const taken = takeChunks(labels, through)
    underWay.add(taken)
    try {
      return await taken
    } finally {
      underWay.delete(taken)
    }
  }

  return {
    takeAll,
    async take(label, through) {
      const [taken] = await takeAll([label], through)
      if (taken === undefined) throw new RangeError('one answer a label')
      return taken
    },
    async stop() {
      isStopped = true
      await Promise.allSettled(underWay)
    },
  }
}

function stopping(chunk: readonly Label[]): Taken[] {
  return chunk.map(() => notNow('log-refused', 'the monitor is stopping'))
}

/** What is known of a label before anything is appended. */
type Plan =
  | { readonly kind: 'answered'; readonly taken: Taken }
  | { readonly kind: 'fresh'; readonly vote: Vote }
  /** It says the same as an earlier one of the chunk. */
  | { readonly kind: 'repeats'; readonly vote: Vote }

/** A post for each label, in their order. */
type Posts = readonly (ScoredPost | NotTaken | undefined)[]

async function takeFound(
  deps: FeedbackDeps,
  labels: readonly Label[],
  posts: Posts,
  through: Through,
): Promise<Taken[]> {
  const plans = await plan(deps, labels, posts, through)
  const fresh = plans.flatMap((each) => (each.kind === 'fresh' ? [each.vote] : []))
  const fates = await appendVotes(deps, fresh)
  return plans.map((each) => {
    if (each.kind === 'answered') return each.taken
    const fate = fates.get(each.vote)
    if (fate === undefined) throw new RangeError('a fate for each label')
    return each.kind === 'repeats' && fate.verdict === 'accepted'
      ? { ...fate, repeated: true }
      : fate
  })
}

async function plan(
  { newest: labelsSoFar }: FeedbackDeps,
  labels: readonly Label[],
  posts: Posts,
  through: Through,
): Promise<Plan[]> {
  const newest = await labelsSoFar.of(labels.map(({ postId }) => postId))
  const inChunk = new Map<string, Vote>()
  return labels.map((label, i): Plan => {
    const vote = voteOf(label, posts[i], through)
    if ('verdict' in vote) return { kind: 'answered', taken: vote }
    const key = JSON.stringify(vote.voter)
    const earlier = inChunk.get(key)
    if (earlier?.label.label === label.label) return { kind: 'repeats', vote: earlier }
    const known = earlier === undefined ? newest(vote.voter) : undefined
    if (known?.label === nameOf(label))
      return {
        kind: 'answered',
        taken: { verdict: 'accepted', offset: known.offset, repeated: true },
      }
    inChunk.set(key, vote)
    return { kind: 'fresh', vote }
  })
}

function voteOf(
  label: Label,
  post: ScoredPost | NotTaken | undefined,
  through: Through,
): Vote | NotTaken {
  if (post === undefined || 'verdict' in post)
    return post ?? refuse('unknown-post', 'there is no such post')
  if (through === 'queue' && post.label_draw === '')
    return refuse(
      'not-in-queue',
      'the post does not stand in the label queue: give its label as feedback',
    )
  const { task, labeller } = label
  return {
    label,
    post,
    voter: { place: placeOf(post), task, labeller, chosen: through !== 'queue' },
  }
}
