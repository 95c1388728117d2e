/**
 * Keeps the table `labels` equal to the topic `feedback`: goes on behind the highest offset that the table holds. A batch that was stored and not
 * known to be is stored again, under the same offsets: the table keeps one row of each.
 */
import { type Follower, type Log, type LogRecord, topics } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import { toStoreTime } from '../../infra/store/store-time.ts'
import { readFeedback } from '../allocator/weights/read-record.ts'
import { labelsOf } from '../contract.ts'
import type { FeedbackRecord } from './record.ts'

export interface LabelsTable {
  /** Idempotent. */
  start(): Promise<void>
  /** Resolves when the batch in hand is stored. Idempotent. */
  stop(): Promise<void>
}

export interface LabelsTableDeps {
  readonly log: Pick<Log, 'follow' | 'endOffsets'>
  readonly store: Pick<Store, 'query' | 'insert'>
  readonly logger: Logger
  /** Every record up to this offset is in the table, or is none. */
  onStored(offset: number): void
}

export function createLabelsTable({ log, store, logger, onStored }: LabelsTableDeps): LabelsTable {
  let following: Promise<Follower> | undefined
  let malformed = 0

  async function save(records: readonly LogRecord[]): Promise<void> {
    const rows = records.flatMap((record) => {
      const feedback = readFeedback(record.value)
      return feedback === undefined ? [] : [rowOf(record, feedback)]
    })
    await store.insert('labels', rows)
    if (rows.length === records.length) return
    malformed += records.length - rows.length
    logger.warn(
      { malformed, lastOffset: records.at(-1)?.offset },
      'records of feedback are no labels',
    )
  }

  async function follow(): Promise<Follower> {
    const [row] = await store.query<{ next: number }>(
      'SELECT if(count() = 0, 0, max(offset) + 1) AS next FROM labels',
    )
    const next = row?.next ?? 0
    const [end = 0] = await log.endOffsets(topics.feedback)
    if (end < next)
      logger.error(
        { end, next },
        'the table labels is of a longer topic feedback, which has lost records: new labels do not show in it until their offsets pass it',
      )
    return log.follow(topics.feedback, [next], async ({ records, next }) => {
      await save(records)
      onStored(next - 1)
    })
  }

  return {
    async start() {
      following ??= follow()
      await following
    },
    async stop() {
      // A start that failed has nothing to stop; whoever started it knows.
      const follower = await following?.catch(() => undefined)
      following = undefined
      await follower?.stop()
    },
  }
}

function rowOf({ offset, timestamp }: LogRecord, feedback: FeedbackRecord) {
  const { post, context, experts } = feedback
  return {
    offset,
    at: toStoreTime(timestamp),
    post_id: post.id,
    version: post.version,
    log_topic: post.logTopic,
    partition: post.partition,
    post_offset: post.offset,
    task: feedback.task,
    label: labelsOf[feedback.task][feedback.label] ?? '',
    labeller: feedback.labeller,
    origin: feedback.origin,
    selection_probability: feedback.selectionProbability,
    source: context.source,
    kind: context.kind,
    language: context.language,
    strategy: feedback.strategy,
    fused: feedback.fused,
    'experts.name': experts.map(({ name }) => name),
    'experts.version': experts.map(({ version }) => version),
    'experts.probabilities': experts.map(({ probabilities }) => probabilities),
    'experts.ran': experts.map(({ ran }) => ran),
    'experts.shadow': experts.map(({ shadow }) => shadow),
  }
}
