/**
 * Keeps the weights of `dynamic`: restores a snapshot, follows `feedback`, folds, and writes snapshots.
 *
 * idle -> restoring -> catching up (`start` resolves when all that the log held by then is folded) -> following -> stopped. A topic that has lost records
 * ends it: weights that forget would differ from instance to instance.
 */
import type { Clock } from '../../../infra/clock.ts'
import { AppError, describeError } from '../../../infra/errors.ts'
import { type Follower, type Log, type LogBatch, topics } from '../../../infra/log/log.ts'
import type { Logger } from '../../../infra/logger.ts'
import type { Store } from '../../../infra/store/store.ts'
import type { WeightBook } from '../weights.ts'
import { type DriftAlarm, type FoldCounts, WeightFold } from './fold.ts'
import { modelSet, type WeightModel } from './model.ts'
import { restoreFold } from './restore.ts'
import { encodeState } from './snapshot.ts'
import { createSnapshotTable } from './snapshot-table.ts'

export interface KeptDrift extends DriftAlarm {
  /** When the log took the label at which it was found, milliseconds since 1970. */
  readonly at: number
}

export interface WeightKeeperDeps extends WeightModel {
  readonly log: Pick<Log, 'ensureTopics' | 'beginningOffsets' | 'endOffsets' | 'follow'>
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** Each drift once for each fold of its label: again where no snapshot has it. */
  onDrift?(drift: KeptDrift): void
  /** Records from one snapshot to the next. */
  readonly snapshotEvery?: number
}

export interface WeightKeeper {
  /** Rejects with FEEDBACK when the topic has lost records or cannot be one, and leaves nothing running then. Idempotent. */
  start(): Promise<void>
  /** Writes a snapshot of what is folded. Idempotent. */
  stop(): Promise<void>
  /** The weights as they are now, which stay so: a plan sees one version. The prior before `start`. */
  book(): WeightBook
  counts(): FoldCounts
  /** Why it learns no more; undefined while it does. */
  health(): AppError | undefined
}

const everyRecords = 1_000

export function createWeightKeeper(deps: WeightKeeperDeps): WeightKeeper {
  const { log, clock, logger, snapshotEvery = everyRecords } = deps
  const model: WeightModel = { experts: deps.experts, prior: deps.prior }
  const table = createSnapshotTable(deps.store, clock, modelSet(model))
  let fold = new WeightFold(model)
  let stored = fold.version
  /** Offset to read next. */
  let next = 0
  let failure: AppError | undefined
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined
  let follower: Follower | undefined
  let isFollowing = false
  let onProgress: () => void = () => {}

  const isEnded = (): boolean => failure !== undefined || stopping !== undefined

  async function take(batch: LogBatch): Promise<void> {
    try {
      await checkComplete(log, next, batch)
    } catch (error) {
      if (error instanceof AppError && !error.retryable) failure = error
      onProgress()
      throw error
    }
    for (const { offset, value, timestamp } of batch.records)
      for (const drift of fold.fold(value, offset)) report({ ...drift, at: timestamp })
    next = batch.next
    onProgress()
    if (isFollowing && fold.version - stored >= snapshotEvery) await save()
  }

  function report(drift: KeptDrift): void {
    logger.warn({ drift }, 'accuracy has drifted: weights forget faster for a while')
    deps.onDrift?.(drift)
  }

  /** A snapshot saves time only: without it more is folded at the next start. */
  async function save(): Promise<void> {
    const offset = fold.version
    if (offset === stored) return
    try {
      await table.write(offset, encodeState(fold.state))
      stored = offset
    } catch (error) {
      logger.warn({ error: describeError(error), offset }, 'a snapshot of weights was not stored')
    }
  }

  async function begin(): Promise<void> {
    await ensureFeedback(log)
    fold = await restoreFold({ log, table, model, logger })
    stored = fold.version
    next = fold.version + 1
    const [end = 0] = await log.endOffsets(topics.feedback)
    follower = await log.follow(topics.feedback, [next], take)
    while (next < end && !isEnded())
      await new Promise<void>((resolve) => {
        onProgress = resolve
      })
    if (failure !== undefined) {
      await follower.stop()
      throw failure
    }
    // One at its end, not one every so many records on the way: a snapshot is as large as all that is folded.
    if (fold.version - stored >= snapshotEvery) await save()
    isFollowing = true
  }

  async function end(): Promise<void> {
    onProgress()
    await starting?.catch(() => undefined)
    await follower?.stop()
    await save()
  }

  return {
    start() {
      starting ??= begin()
      return starting
    },
    stop() {
      stopping ??= end()
      return stopping
    },
    book: () => fold.book(),
    counts: () => fold.counts,
    health: () => failure,
  }
}

/** One partition, unlimited retention, and nothing lost before: a limit that a broker had is taken off, but it may have worked already. */
async function ensureFeedback(log: Pick<Log, 'ensureTopics' | 'beginningOffsets'>): Promise<void> {
  try {
    await log.ensureTopics([{ name: topics.feedback, partitions: 1 }])
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.retryable) throw cause
    throw new AppError('FEEDBACK', `Weights cannot be learned: ${cause.message}`, { cause })
  }
  await checkBeginning(log)
}

async function checkBeginning(log: Pick<Log, 'beginningOffsets'>): Promise<void> {
  const [begin = 0] = await log.beginningOffsets(topics.feedback)
  if (begin > 0)
    throw new AppError(
      'FEEDBACK',
      `The topic ${topics.feedback} has lost its first ${begin} records: weights are a fold over all of them. Give it unlimited retention, and append the records again.`,
    )
}

/** Offsets may have holes; what retention took is none of those. */
async function checkComplete(
  log: Pick<Log, 'beginningOffsets'>,
  next: number,
  { records: [first] }: LogBatch,
): Promise<void> {
  if (first !== undefined && first.offset > next) await checkBeginning(log)
}
