/** Who votes here, now: follows `control`, folds it, and shows it in the table `serving`. */
import { AppError } from '../../infra/errors.ts'
import {
  type Follower,
  type Log,
  type LogBatch,
  type LogRecord,
  topics,
} from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import { toStoreTime } from '../../infra/store/store-time.ts'
import { unlessAborted } from '../../infra/unless-aborted.ts'
import type { ExpertSet, ServingRecord } from '../contract.ts'
import {
  foldServing,
  initialServing,
  parseServing,
  type ServingControl,
  type ServingState,
} from './state.ts'

export interface Serving {
  /** Resolves when all records that `control` holds are in force. Rejects with what keeps it from following. */
  start(): Promise<void>
  /** The experts that vote on what is judged from now on. */
  set(): ExpertSet
  state(): ServingState
  /** Resolves with the record's offset once the log has it. */
  append(record: ServingControl): Promise<number>
  /** Resolves when the record is in force here, or void; rejects with the signal's reason when nobody waits any more. */
  folded(offset: number, signal: AbortSignal): Promise<void>
  /** Idempotent. */
  stop(): Promise<void>
}

export interface ServingDeps {
  readonly log: Pick<Log, 'append' | 'follow' | 'endOffsets'>
  readonly store: Pick<Store, 'query' | 'insert'>
  readonly logger: Logger
  /** Who votes while no record says otherwise. */
  readonly configured: readonly string[]
}

export function createServing(deps: ServingDeps): Serving {
  return new ControlServing(deps)
}

class ControlServing implements Serving {
  readonly #deps: ServingDeps
  readonly #waiting = new Set<{ readonly next: number; readonly resolve: () => void }>()
  #state = initialServing
  /** Offset of the next record to fold. */
  #next = 0
  #follower: Promise<Follower> | undefined

  constructor(deps: ServingDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    const { log } = this.#deps
    this.#follower ??= log.follow(topics.control, [0], (batch) => this.#onBatch(batch))
    await this.#follower
    const [end = 0] = await log.endOffsets(topics.control)
    await this.#reached(end)
  }

  set(): ExpertSet {
    return this.#state.now?.set ?? { experts: [...this.#deps.configured], standsFor: {} }
  }

  state(): ServingState {
    return this.#state
  }

  async append(record: ServingControl): Promise<number> {
    const value = JSON.stringify(record)
    const [position] = await this.#deps.log.append(topics.control, [{ key: null, value }])
    if (position === undefined)
      throw new AppError('LOG', 'The log took a record of control without telling where')
    return position.offset
  }

  folded(offset: number, signal: AbortSignal): Promise<void> {
    return unlessAborted(this.#reached(offset + 1), signal)
  }

  async stop(): Promise<void> {
    // A start that failed has nothing to stop; whoever started it knows.
    await (await this.#follower?.catch(() => undefined))?.stop()
  }

  #reached(next: number): Promise<void> {
    if (this.#next >= next) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.add({ next, resolve }))
  }

  async #onBatch(batch: LogBatch): Promise<void> {
    for (const record of batch.records) if (record.offset >= this.#next) await this.#take(record)
    this.#next = batch.next
    for (const waiter of this.#waiting) {
      if (this.#next < waiter.next) continue
      this.#waiting.delete(waiter)
      waiter.resolve()
    }
  }

  /** A record is shown before it is in force: a failing store has the log deliver it again. */
  async #take({ offset, timestamp, value }: LogRecord): Promise<void> {
    const record = parseServing(value)
    if (record !== undefined) {
      const state = foldServing(this.#state, offset, record)
      if (state === this.#state)
        this.#deps.logger.warn(
          { offset, type: record.type },
          'a change of the serving experts is void: another one came first',
        )
      else if (record.type === 'serving') await this.#show(offset, timestamp, record)
      this.#state = state
    }
    this.#next = offset + 1
  }

  async #show(offset: number, at: number, record: ServingRecord): Promise<void> {
    const { store, logger } = this.#deps
    const known = await store.query<{ n: number }>(
      'SELECT count() AS n FROM serving WHERE control_offset = {offset:Int64}',
      { offset },
    )
    if ((known[0]?.n ?? 0) === 0)
      await store.insert('serving', [
        { ...servingRow(offset, at, record), ...(await minutesOf(store, record)) },
      ])
    const { experts } = record.set
    logger.info(
      { offset, action: record.action, revision: record.revision, experts },
      'other experts serve',
    )
  }
}

function servingRow(offset: number, at: number, record: ServingRecord): Record<string, unknown> {
  const { coverage } = record
  return {
    control_offset: offset,
    served_from: toStoreTime(at),
    action: record.action,
    expert: record.expert,
    replaces: record.replaces,
    experts: record.set.experts,
    labels: record.labels,
    forced: record.forced,
    person: record.by,
    note: record.note,
    revision: record.revision,
    window_from: toStoreTime(record.windowFrom),
    'coverage.log_topic': coverage.map(({ logTopic }) => logTopic),
    'coverage.partition': coverage.map(({ partition }) => partition),
    'coverage.from_offset': coverage.map(({ from }) => from),
    'coverage.to_offset': coverage.map(({ to }) => to),
    'coverage.revision': coverage.map(({ revision }) => revision),
  }
}

/** The minutes of published_at that re-scored rows touch: elsewhere the sums beside `analyses` answer. */
async function minutesOf(
  store: Pick<Store, 'query'>,
  { coverage }: ServingRecord,
): Promise<Record<string, unknown>> {
  const revisions = [...new Set(coverage.map(({ revision }) => revision))]
  const [minutes] = await store.query<{ minutes_from: string; minutes_to: string }>(
    `SELECT toStartOfMinute(min(published_at)) AS minutes_from, toStartOfMinute(max(published_at)) AS minutes_to
     FROM rescored WHERE revision IN {revisions:Array(UInt32)} AND outcome = 'scored'`,
    { revisions },
  )
  return { ...minutes }
}
