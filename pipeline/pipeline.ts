/**
 * The pipeline role: consumes `posts`, one batch of a partition at a time, and leaves every offset's rows in the table (verdicts.ts has the
 * steps, writer.ts the delivery protocol, assignment.ts what becomes of a partition that comes and goes).
 *
 * A batch becomes at least one block. After a small batch the partition rests until `flushMs` has passed since the batch began, so that the
 * next one is larger and the table gets few parts; nothing is held in memory meanwhile, the log is the queue.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../infra/clock.ts'
import { AppError, describeError } from '../infra/errors.ts'
import { type Consumer, type Log, type LogBatch, topics } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import { Assignment } from './assignment.ts'
import { type Backlog, BacklogGauge } from './backlog.ts'
import { Backpressure, type HoldLimits } from './backpressure.ts'
import type { ConsumptionMetrics } from './consumption-metrics.ts'
import type { Verdict } from './rows.ts'
import type { Gate } from './serving/gate.ts'
import { compareWithStore } from './start-check.ts'
import { createBatchStoring } from './store-batch.ts'
import type { VerdictDeps } from './verdicts.ts'
import { logReplaced } from './writer/same-log.ts'

export const pipelineGroup = 'tickertone.pipeline'
/** The largest batch, and a block worth its part: no rest after it. A larger one would only be stored later, and judged again as a whole after a crash. */
const fullBatchRecords = 1_000
/** How soon a log that was replaced while its partition is idle is noticed. */
const lookMs = 5_000

export interface PipelineDeps extends Omit<VerdictDeps, 'signal'> {
  readonly log: Log
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  readonly clock: Clock
  readonly logger: Logger
  readonly flushMs: number
  readonly limits: HoldLimits
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
  readonly metrics?: ConsumptionMetrics
}

export interface Pipeline {
  /** Throws LOG_REPLACED when a partition of the log is not the one the store was filled from: before anything is appended to it. */
  start(): Promise<void>
  /** Ends after the blocks in hand are stored. What is being judged is left to the next start: judging may take longer than a stop may. Idempotent. */
  stop(): Promise<void>
}

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { log, clock, logger, metrics } = deps
  const assignments = new Map<number, Assignment>()
  /** The latest question where to start, by partition: an answer to an earlier one, or to one whose partition is lost by now, is void. */
  const awaited = new Map<number, symbol>()
  const backlog = new BacklogGauge()
  const stopping = new AbortController()
  const { signal } = stopping
  const pressure = new Backpressure({
    ...deps,
    pause: (partition) => consumer?.pause(topics.posts, partition),
    resume: (partition) => consumer?.resume(topics.posts, partition),
  })
  metrics?.report(() => pressure.held())
  const opening = {
    ...deps,
    onRemoved: (partition: number, offsets: number) => metrics?.removed(partition, offsets),
  }
  const storeBatch = createBatchStoring(deps)
  let consumer: Consumer | undefined
  let looking: Promise<void> = Promise.resolve()

  async function startAt(_topic: string, partition: number): Promise<number> {
    end(partition)
    const asked = Symbol()
    awaited.set(partition, asked)
    const isVoid = (): boolean => signal.aborted || awaited.get(partition) !== asked
    const opened = Assignment.open(opening, { logTopic: deps.logTopic, partition })
    const assignment = await opened.catch((error: unknown) => {
      if (!isVoid()) deps.onHealth?.(partition, error)
      throw error
    })
    if (isVoid()) {
      assignment.end()
      return assignment.next
    }
    assignments.set(partition, assignment)
    deps.onHealth?.(partition, undefined)
    pressure.assigned(partition)
    metrics?.assigned(partition)
    return assignment.next
  }

  function onLost(_topic: string, partition: number): void {
    awaited.delete(partition)
    deps.onHealth?.(partition, undefined)
    if (!assignments.has(partition)) return
    end(partition)
    backlog.forget(partition)
    pressure.lost(partition)
    metrics?.lost(partition)
    logger.info({ partition }, 'a partition went to another process')
  }

  function end(partition: number): void {
    assignments.get(partition)?.end()
    assignments.delete(partition)
  }

  async function onBatch(batch: LogBatch): Promise<void> {
    const startedAt = clock()
    const assignment = assignments.get(batch.partition)
    if (signal.aborted || !batch.isCurrent()) return
    if (assignment === undefined)
      throw new AppError('LOG', `partition ${batch.partition} has no assignment`)
    backlog.begin(batch)
    reportBacklog()
    const mark = await hold(assignment, batch)
    if (mark === undefined || !batch.isCurrent()) return
    assignment.done(batch)
    deps.onHealth?.(batch.partition, undefined)
    backlog.end(batch)
    reportBacklog()
    await commit(batch, mark)
    if (batch.records.length < fullBatchRecords) await rest(assignment, startedAt)
  }

  /** Resolves with the partition's mark; undefined when the generation ended meanwhile, or this process stops. */
  async function hold(assignment: Assignment, batch: LogBatch): Promise<number | undefined> {
    const { signal: ended } = assignment
    try {
      return await pressure.holding(batch, () =>
        deps.gate.pass(() => storeBatch(assignment, batch), ended),
      )
    } catch (error) {
      const isLate = ended.aborted && (error === ended.reason || !batch.isCurrent())
      if (isLate) return undefined
      deps.onHealth?.(batch.partition, error)
      throw error
    }
  }

  function reportBacklog(): void {
    if (consumer !== undefined) deps.onBacklog?.(backlog.measure(consumer.progress(), clock()))
  }

  /** A hint to retention and to whoever watches the group: the table alone says where to go on. */
  async function commit({ topic, partition }: LogBatch, mark: number): Promise<void> {
    if (mark < 0) return
    try {
      await consumer?.commit(topic, partition, mark + 1)
    } catch (error) {
      logger.warn({ partition, mark, error: describeError(error) }, 'offsets not committed')
    }
  }

  /** Until the flush is due: at once where the clock has gone back since, which says nothing of how long the batch took. */
  async function rest(assignment: Assignment, startedAt: number): Promise<void> {
    const elapsedMs = clock() - startedAt
    if (elapsedMs < 0 || elapsedMs >= deps.flushMs) return
    const ms = deps.flushMs - elapsedMs
    await delay(ms, undefined, { signal: assignment.signal }).catch(() => undefined)
  }

  async function keepLooking(): Promise<void> {
    while (!signal.aborted) {
      await delay(lookMs, undefined, { signal }).catch(() => undefined)
      pressure.look()
      await findReplaced().catch((error: unknown) => {
        logger.debug({ error: describeError(error) }, 'the ends of the log are not known')
      })
    }
  }

  /** An idle partition gets no batch that would show it. */
  async function findReplaced(): Promise<void> {
    const marks = await Promise.all(
      [...assignments.values()].map(async ({ id, writer }) => ({ id, mark: await writer.mark() })),
    )
    const ends = signal.aborted ? [] : await log.endOffsets(topics.posts)
    for (const { id, mark } of marks) {
      const logEnd = ends[id.partition]
      if (logEnd === undefined || logEnd > mark) continue
      deps.onFatal(logReplaced(id, `the log ends at ${logEnd}, below the stored ${mark}`))
    }
  }

  return {
    async start() {
      await compareWithStore(deps)
      consumer = await log.consume(
        {
          topics: [topics.posts],
          group: pipelineGroup,
          maxBatchRecords: fullBatchRecords,
          startAt,
          onLost,
          onStopped: (_topic, _partition, error) => deps.onFatal(error),
        },
        onBatch,
      )
      for (const partition of pressure.paused) consumer.pause(topics.posts, partition)
      looking = keepLooking()
    },
    async stop() {
      stopping.abort()
      for (const assignment of assignments.values()) assignment.end()
      await consumer?.stop()
      await looking
    },
  }
}
