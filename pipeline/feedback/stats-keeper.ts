/**
 * What the labels say, for whoever asks: counting a million labels takes ten seconds and more, so it is done once for all who ask, again only when there
 * are new labels or skips, and nobody waits for it longer than their patience.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../infra/clock.ts'
import { AppError, describeError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import { type LabelStats, labelStats } from './stats.ts'

export interface StatsDeps {
  readonly store: Pick<Store, 'query'>
  readonly clock: Clock
  readonly logger: Logger
  /** 5 s unless told: less than a page waits for an answer. */
  readonly patienceMs?: number
}

interface Counted {
  /** What the tables held before. */
  readonly state: string
  readonly stats: LabelStats
}

const stateSql = `
SELECT concat(toString((SELECT max(offset) FROM labels)), ' ', toString((SELECT count() FROM labels)), ' ', toString((SELECT count() FROM label_skips))) AS state`

/**
 * The figures as they are, or, where counting again takes longer than the patience, those of the last count. Throws `STORE`: retryable when there are
 * none yet, and what the count failed with.
 */
export function createStatsKeeper(deps: StatsDeps): () => Promise<LabelStats> {
  const { store, clock, logger, patienceMs = 5_000 } = deps
  let last: Counted | undefined
  let counting: Promise<Counted> | undefined

  async function count(state: string): Promise<Counted> {
    try {
      const counted_at = new Date(clock()).toISOString()
      last = { state, stats: { counted_at, ...(await labelStats(store)) } }
      return last
    } catch (error) {
      logger.warn({ reason: describeError(error) }, 'labels not counted')
      throw error
    } finally {
      counting = undefined
    }
  }

  return async () => {
    const [row] = await store.query<{ state: string }>(stateSql)
    const state = row?.state ?? ''
    if (last?.state === state) return last.stats
    counting ??= count(state)
    const { stats } = (await within(patienceMs, counting)) ?? last ?? stillCounting()
    return stats
  }
}

/** Undefined when it takes longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const waiting = new AbortController()
  try {
    return await Promise.race([work, delay(ms, undefined, { signal: waiting.signal })])
  } finally {
    waiting.abort()
  }
}

function stillCounting(): never {
  throw new AppError('STORE', 'the labels are still being counted: ask again', { retryable: true })
}
