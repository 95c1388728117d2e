/**
 * Takes labels: finds the post, hears the experts that had not run on it, and appends a record with all that the fold over `feedback` needs.
 *
 * Chunks of labels are taken one after another, so that two equal ones at the same time are seen as such by this process. (Two processes may
 * both append: whoever folds the topic knows a repeated label by its post, task, labeller and value.)
 */
import type { Log } from '../../infra/log/log.ts'
import { type AppendDeps, appendVotes, nameOf, type Vote } from './append-votes.ts'
import { type FindDeps, findScored } from './find-scored.ts'
import { type Label, type NotTaken, notNow, refuse, type Taken, type Through } from './label.ts'
import { placeOf, type ScoredPost } from './scored-posts.ts'

export interface FeedbackDeps extends Omit<FindDeps, 'patienceMs'>, AppendDeps {
  readonly log: Pick<Log, 'append' | 'endOffsets'>
  /** How long a label waits for its post to be scored; 2 s unless told. */
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

export function createFeedback(given: FeedbackDeps): Feedback {
  const deps = { ...given, patienceMs: given.patienceMs ?? defaultPatienceMs }
  let isStopped = false
  let inHand: Promise<unknown> = Promise.resolve()

  function inTurn(chunk: readonly Label[], through: Through): Promise<Taken[]> {
    const taken = inHand.then(() =>
      isStopped
        ? chunk.map(() => notNow('log-refused', 'the monitor is stopping'))
        : takeChunk(deps, chunk, through),
    )
    inHand = taken.catch(() => undefined)
    return taken
  }

  async function takeAll(labels: readonly Label[], through: Through): Promise<Taken[]> {
    const taken: Taken[] = []
    for (let at = 0; at < labels.length; at += chunkLabels)
      taken.push(...(await inTurn(labels.slice(at, at + chunkLabels), through)))
    return taken
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
      await inHand
    },
  }
}

/** What is known of a label before anything is appended. */
type Plan =
  | { readonly kind: 'answered'; readonly taken: Taken }
  | { readonly kind: 'fresh'; readonly vote: Vote }
  /** It says the same as an earlier one of the chunk. */
  | { readonly kind: 'repeats'; readonly vote: Vote }

type ChunkDeps = FeedbackDeps & FindDeps

async function takeChunk(
  deps: ChunkDeps,
  labels: readonly Label[],
  through: Through,
): Promise<Taken[]> {
  const plans = await plan(deps, labels, through)
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

async function plan(deps: ChunkDeps, labels: readonly Label[], through: Through): Promise<Plan[]> {
  const posts = await findScored(deps, labels)
  const newest = await deps.newest.of(labels.map(({ postId }) => postId))
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
