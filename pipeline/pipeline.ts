/**
 * The pipeline role: consumes `posts`, one batch of a partition at a time, and leaves every offset's rows in the table (verdicts.ts has the
 * steps, writer.ts the delivery protocol).
 *
 * A batch becomes at least one block. After a small batch the partition rests until `flushMs` has passed since the batch began, so that the
 * next one is larger and the table gets few parts; nothing is held in memory meanwhile, the log is the queue.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../infra/clock.ts'
import { AppError } from '../infra/errors.ts'
import {
  type Consumer,
  type Follower,
  type Log,
  type LogBatch,
  type LogRecord,
  topics,
} from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import { decodeRecord } from '../ingest/contract.ts'
import { type Backlog, BacklogGauge } from './backlog.ts'
import type { Cause } from './dead-letters.ts'
import { buildRows } from './poisoned-rows.ts'
import type { Verdict } from './rows.ts'
import type { Gate } from './serving/gate.ts'
import { type VerdictDeps, verdictsOf } from './verdicts.ts'
import { writeUpToRefused } from './writer/refused.ts'
import { createPartitionWriter, type PartitionWriter, type RecordIdentity } from './writer.ts'

export const pipelineGroup = 'tickertone.pipeline'
/** The largest batch, and a block worth its part: no rest after it. A larger one would only be stored later, and judged again as a whole after a crash. */
const fullBatchRecords = 1_000

export interface PipelineDeps extends Omit<VerdictDeps, 'signal'> {
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  readonly clock: Clock
  readonly logger: Logger
  readonly flushMs: number
  /** Batches wait while it is closed: other experts begin to vote between two of them. */
  readonly gate: Gate
  /** A partition stopped for good: this process cannot do its work. */
  onFatal(error: unknown): void
  /** What keeps a partition from its work; undefined when it works again. */
  onHealth?(partition: number, error: unknown): void
  /** How far this process is behind the log, at the beginning and the end of each batch. */
  onBacklog?(backlog: Backlog): void
  /** What was decided, in the order of the log, once it is stored. */
  onStored?(verdicts: readonly Verdict[]): void
}

export interface Pipeline {
  /** Throws LOG_REPLACED when a partition of the log is not the one the store was filled from: before anything is appended to it. */
  start(): Promise<void>
  /** Ends after the blocks in hand are stored. What is being judged is left to the next start: judging may take longer than a stop may. Idempotent. */
  stop(): Promise<void>
}

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { log, store, clock, logger } = deps
  const writers = new Map<number, PartitionWriter>()
  const backlog = new BacklogGauge()
  const stopping = new AbortController()
  const { signal } = stopping
  let consumer: Consumer | undefined

  async function openWriter(partition: number): Promise<PartitionWriter> {
    const id = { logTopic: deps.logTopic, partition }
    const writer = createPartitionWriter({ store, partition: id, logger, clock, signal })
    await verify(writer, partition, undefined)
    return writer
  }

  async function verify(
    writer: PartitionWriter,
    partition: number,
    record: LogRecord | undefined,
  ): Promise<void> {
    const ends = await log.endOffsets(topics.posts)
    await writer.verify(record && identityOf(record), ends[partition] ?? 0)
  }

  async function compareWithStore(): Promise<void> {
    const partitions = [...(await log.endOffsets(topics.posts)).keys()]
    const opened = await Promise.all(partitions.map(openWriter))
    const marks = await Promise.all(opened.map((writer) => writer.mark()))
    const records = await recordsAt(log, marks)
    await Promise.all(
      opened.map((writer, partition) => verify(writer, partition, records.get(partition))),
    )
  }

  /** The record at the mark is read again: it must be the one the table holds. */
  async function startAt(_topic: string, partition: number): Promise<number> {
    const writer = await openWriter(partition)
    writers.set(partition, writer)
    return Math.max(0, await writer.mark())
  }

  async function onBatch(batch: LogBatch): Promise<void> {
    const startedAt = clock()
    const writer = writers.get(batch.partition)
    if (writer === undefined)
      throw new AppError('LOG', `partition ${batch.partition} has no writer`)
    backlog.begin(batch)
    await reportBacklog()
    const storing = deps.gate.pass(() => storeBatch(writer, batch), signal)
    const mark = await storing.catch((error: unknown) => {
      if (signal.aborted && error === signal.reason) return undefined
      deps.onHealth?.(batch.partition, error)
      throw error
    })
    if (mark === undefined) return
    deps.onHealth?.(batch.partition, undefined)
    backlog.end(batch)
    await reportBacklog()
    if (!batch.isCurrent()) return
    await consumer?.commit(batch.topic, batch.partition, mark + 1)
    if (batch.records.length < fullBatchRecords) await rest(deps.flushMs - (clock() - startedAt))
  }

  async function reportBacklog(): Promise<void> {
    deps.onBacklog?.(backlog.measure(await log.endOffsets(topics.posts), clock()))
  }

  /** Resolves with the partition's mark. Rejects with the signal's reason when a stop ends the judging. */
  async function storeBatch(writer: PartitionWriter, batch: LogBatch): Promise<number> {
    const before = await writer.mark()
    const known = batch.records.find((record) => record.offset === before)
    if (known !== undefined) await verify(writer, batch.partition, known)
    const poison = new Map<number, Cause>()
    for (;;) {
      const found = poison.size
      const mark = await judgeAndStore(writer, batch, poison)
      // What follows a post that has no rows of its own is decided anew: it is no version of itself.
      if (poison.size === found) return mark
    }
  }

  /** As far as rows can be built and the store takes them; adds to `poison` what stands in the way. */
  async function judgeAndStore(
    writer: PartitionWriter,
    batch: LogBatch,
    poison: Map<number, Cause>,
  ): Promise<number> {
    const mark = await writer.mark()
    const id = { logTopic: deps.logTopic, partition: batch.partition }
    const fresh = batch.records.filter((record) => record.offset > mark)
    const verdicts = await verdictsOf({ ...deps, signal }, { ...id, mark }, fresh, poison)
    const scoredAt = clock()
    const { rows, unbuilt } = buildRows(id, fresh, verdicts, scoredAt, poison)
    for (const [offset, cause] of unbuilt) poison.set(offset, cause)
    if (unbuilt.size > 0 || !batch.isCurrent()) return mark
    const { reached, refused } = await writeUpToRefused(
      writer,
      { from: mark + 1, next: batch.next, rows },
      poison,
    )
    deps.onStored?.(
      fresh.flatMap(({ offset }) => (offset <= reached ? (verdicts.get(offset) ?? []) : [])),
    )
    if (refused !== undefined) {
      poison.set(refused.offset, refused.cause)
      logger.error(
        { partition: batch.partition, offset: refused.offset },
        'the store refuses the rows of a post: it is dead',
      )
      return reached
    }
    const writeMs = clock() - scoredAt
    logger.debug(
      { partition: batch.partition, mark: reached, writeMs, ...tally(verdicts) },
      'batch stored',
    )
    return reached
  }

  async function rest(ms: number): Promise<void> {
    if (ms <= 0) return
    await delay(ms, undefined, { signal }).catch(() => undefined)
  }

  return {
    async start() {
      await compareWithStore()
      consumer = await log.consume(
        {
          topics: [topics.posts],
          group: pipelineGroup,
          maxBatchRecords: fullBatchRecords,
          startAt,
          onStopped: (_topic, _partition, error) => deps.onFatal(error),
        },
        onBatch,
      )
    },
    async stop() {
      stopping.abort()
      await consumer?.stop()
    },
  }
}

/** How the table names a record: by its post, or by nothing where it is none. */
function identityOf(record: LogRecord): RecordIdentity {
  const decoded = decodeRecord(record.value, record.timestamp)
  return { postId: decoded.ok ? decoded.post.id : '', appendedAt: record.timestamp }
}

/** The record of each partition at its mark, where something is stored and the log still holds it. */
async function recordsAt(
  log: Log,
  marks: readonly number[],
): Promise<ReadonlyMap<number, LogRecord>> {
  const found = new Map<number, LogRecord>()
  const wanted = new Set([...marks.keys()].filter((partition) => (marks[partition] ?? -1) >= 0))
  if (wanted.size === 0) return found
  const from = marks.map((mark) => Math.max(0, mark))
  let following: Promise<Follower> | undefined
  await new Promise<void>((resolve, reject) => {
    following = log.follow(topics.posts, from, async ({ partition, records }) => {
      if (!wanted.delete(partition)) return
      const record = records.find(({ offset }) => offset === marks[partition])
      if (record !== undefined) found.set(partition, record)
      if (wanted.size === 0) resolve()
    })
    following.catch(reject)
  })
  await (await following)?.stop()
  return found
}

function tally(
  verdicts: ReadonlyMap<number, Verdict>,
): Partial<Record<Verdict['outcome'], number>> {
  const counts: Partial<Record<Verdict['outcome'], number>> = {}
  for (const { outcome } of verdicts.values()) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
