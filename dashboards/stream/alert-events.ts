/**
 * Alert events as they are persisted, whichever process runs the alert engine. An event may be persisted later than one of a later time (a
 * restarted engine writes what is missing), so a stretch behind the newest one is read again and what was told is known by its id.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../infra/logger.ts'
import type { Params, Store } from '../../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../../infra/store/store-time.ts'

export interface AlertEventsOptions {
  readonly store: Pick<Store, 'query'>
  readonly logger: Logger
  readonly pollMs?: number
  /** An event as JSON. */
  onEvent(json: string): void
}

const overlapMs = 10 * 60_000

export class AlertEvents {
  readonly #options: AlertEventsOptions
  readonly #stopped = new AbortController()
  /** Ids of the stretch that is read again. */
  #told: ReadonlySet<string> = new Set()
  /** Of the newest event read; undefined before the first reading. */
  #newest: number | undefined
  #loop: Promise<void> | undefined

  constructor(options: AlertEventsOptions) {
    this.#options = options
  }

  /** Resolves when whatever is persisted from then on will be told, or, where the store does not answer, as soon as it does. Idempotent. */
  async start(): Promise<void> {
    await this.#read()
    this.#loop ??= this.#follow()
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#loop
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await sleep(this.#options.pollMs ?? 500, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) await this.#read()
    }
  }

  async #read(): Promise<void> {
    try {
      const isFirst = this.#newest === undefined
      const newest = this.#newest ?? (await this.#latest())
      const events = await this.#eventsFrom(Math.max(0, newest - overlapMs))
      const fresh = events.map(({ id }) => id).filter((id) => !this.#told.has(id))
      if (!isFirst) await this.#tell(fresh)
      // Only now: where a reading fails, the next one finds the same again.
      this.#told = new Set(events.map(({ id }) => id))
      this.#newest = events.at(-1)?.at ?? newest
    } catch (error) {
      this.#options.logger.error({ err: error }, 'reading alert events for the pages failed')
    }
  }

  async #latest(): Promise<number> {
    const [row] = await this.#query<{ newest: string | null }>(
      'SELECT maxOrNull(at) AS newest FROM alert_events',
    )
    return row?.newest == null ? 0 : fromStoreTime(row.newest)
  }

  /** In order of time. */
  async #eventsFrom(from: number): Promise<{ readonly id: string; readonly at: number }[]> {
    const rows = await this.#query<{ id: string; told: string }>(
      `SELECT id, min(at) AS told FROM alert_events WHERE at >= {from:DateTime64(3, 'UTC')}
       GROUP BY id ORDER BY told, id`,
      { from: toStoreTime(from) },
    )
    return rows.map(({ id, told }) => ({ id, at: fromStoreTime(told) }))
  }

  async #tell(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const rows = await this.#query<{ json: string }>(
      `SELECT any(event) AS json FROM alert_events WHERE id IN {ids:Array(String)}
       GROUP BY id ORDER BY min(at), id`,
      { ids },
    )
    for (const { json } of rows) this.#options.onEvent(json)
  }

  #query<Row>(sql: string, params: Params = {}): Promise<Row[]> {
    return this.#options.store.query<Row>(sql, params, { lane: 'tail' })
  }
}
