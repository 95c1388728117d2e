/** From labels of scored posts to records of the topic `feedback`: all experts are heard first, and each record stands for itself. */
import { AppError, describeError } from '../../infra/errors.ts'
import { type Log, topics } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import { labelDraws, labelsOf, strategies } from '../contract.ts'
import type { Call } from '../experts/expert.ts'
import { type Label, notNow, type Taken } from './label.ts'
import type { NewestLabels, Voter } from './newest-labels.ts'
import type { FeedbackRecord, Testimony } from './record.ts'
import type { ScoredPost } from './scored-posts.ts'
import { kindOf, type TestimonyDeps, testimoniesOn } from './testimony.ts'

/** A label of a post that may be labelled. */
export interface Vote {
  readonly label: Label
  readonly post: ScoredPost
  readonly voter: Voter
}

export interface AppendDeps extends Omit<TestimonyDeps, 'call'> {
  readonly log: Pick<Log, 'append'>
  readonly newest: NewestLabels
  readonly logger: Logger
}

/** Nobody waits for a label as for a live post, but a request must be answered. */
const call: Call = { priority: 'history', withinMs: 10_000 }

/** What became of each. Throws what the log fails with, unless that passes. */
export async function appendVotes(
  deps: AppendDeps,
  votes: readonly Vote[],
): Promise<ReadonlyMap<Vote, Taken>> {
  const { experts, isShadow } = deps
  const heard = await testimoniesOn(
    { experts, isShadow, call },
    votes.map(({ post, label: { task } }) => ({ post, task })),
  )
  const fates = new Map<Vote, Taken>()
  const ready: { readonly vote: Vote; readonly record: FeedbackRecord }[] = []
  for (const [i, vote] of votes.entries()) {
    const testimonies = heard[i] ?? []
    if ('verdict' in testimonies) fates.set(vote, testimonies)
    else ready.push({ vote, record: recordOf(vote, testimonies) })
  }
  const offsets = await append(
    deps,
    ready.map(({ record }) => record),
  )
  for (const [i, { vote }] of ready.entries()) {
    const offset = offsets?.[i]
    if (offset === undefined) {
      fates.set(vote, notNow('log-refused', 'the log does not take labels now'))
      continue
    }
    fates.set(vote, { verdict: 'accepted', offset, repeated: false })
    deps.newest.appended(vote.voter, { offset, label: nameOf(vote.label) })
  }
  return fates
}

/** Undefined when the log cannot take them now. */
async function append(
  { log, logger }: AppendDeps,
  records: readonly FeedbackRecord[],
): Promise<readonly number[] | undefined> {
  if (records.length === 0) return []
  try {
    const positions = await log.append(
      topics.feedback,
      records.map((record) => ({ key: record.post.id, value: JSON.stringify(record) })),
    )
    return positions.map(({ offset }) => offset)
  } catch (error) {
    if (!(error instanceof AppError && error.retryable)) throw error
    logger.warn({ labels: records.length, reason: describeError(error) }, 'labels not appended')
    return undefined
  }
}

function recordOf({ label, post, voter }: Vote, experts: readonly Testimony[]): FeedbackRecord {
  const draw = voter.chosen ? undefined : labelDraws.find((name) => name === post.label_draw)
  return {
    format: 1,
    post: {
      id: post.post_id,
      version: post.version,
      logTopic: post.log_topic,
      partition: post.partition,
      offset: post.offset,
    },
    task: label.task,
    label: label.label,
    labeller: label.labeller,
    origin: draw ?? 'chosen',
    selectionProbability: draw === undefined ? null : post.label_probability,
    context: {
      source: post.source,
      kind: kindOf(post.kind),
      language: post.language,
      textLength: post.text.length + post.title.length,
    },
    strategy: strategies.find((name) => name === post.strategy) ?? 'static',
    fused:
      label.task === 'topic'
        ? post.topic_probabilities
        : [post.negative, post.neutral, post.positive],
    experts: [...experts],
  }
}

export function nameOf({ task, label }: Pick<Label, 'task' | 'label'>): string {
  return labelsOf[task][label] ?? ''
}
