/**
 * The one interface of live sources. A source only reads and hands over; when it runs, what becomes of its failures, and what is told of it is
 * the business of its supervisor.
 */
import { AppError } from '../../infra/errors.ts'
import type { Delivery } from './delivery.ts'
import type { SourceState } from './state.ts'

/** What a reading brought; items that are known already stand in `repeated`. */
export interface ReadingCounts {
  readonly fresh: number
  readonly corrected: number
  readonly repeated: number
  readonly refused: number
}

export interface RunContext {
  readonly delivery: Delivery
  readonly signal: AbortSignal
  /** A reading that comes later than this after the last one catches up. */
  readonly outageMs: number
  load(): Promise<SourceState>
  /** Durable when it resolves. */
  save(state: SourceState): Promise<void>
  /** Told whenever something was read and is durable, before it is saved; all zero says that the source was reached. */
  onReading(counts: ReadingCounts): void
  /** Something is odd and the source goes on. */
  onOddity(message: string): void
}

export interface Source {
  /**
   * Cron expression in UTC: `run` is one reading. Undefined: `run` reads on as things come, and ends only when the signal is aborted.
   */
  readonly schedule: string | undefined
  /** Rejects with what keeps the source from reading: it is run again later. */
  run(context: RunContext): Promise<void>
  /** What a first reading would hand over, at most about `limit` rows of a source without an end. Leaves nothing behind. */
  preview(context: RunContext, limit: number): Promise<void>
}

/** A source that cannot be read now. */
export class SourceError extends AppError {
  /** Not to be asked before this time, in milliseconds since 1970. */
  readonly retryAtMs: number | undefined

  constructor(message: string, options: { cause?: unknown; retryAtMs?: number | undefined } = {}) {
    super('SOURCE', message, { retryable: true, cause: options.cause })
    this.retryAtMs = options.retryAtMs
  }
}
