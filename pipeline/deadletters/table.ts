/** The table `dead_letters`: the states of letters, newest first. */
import type { Store } from '../../infra/store/store.ts'
import { fromStoreTime, toStoreTime } from '../../infra/store/store-time.ts'
import { type LetterClass, letterClasses } from '../../ingest/contract.ts'
import type { LetterState, LetterStatus } from './fold.ts'

export interface LetterFilter {
  readonly state?: LetterStatus | undefined
  readonly class?: LetterClass | undefined
  /** A part of the reason, whatever its case. */
  readonly reason?: string | undefined
  readonly source?: string | undefined
  /** Of the letter, milliseconds since 1970: `from` included, `to` excluded. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

interface Row {
  readonly origin: string
  readonly head: number
  readonly letter: number
  readonly state: LetterStatus
  readonly class: LetterClass
  readonly reason: string
  readonly attempts: number
  readonly source: string
  readonly post_id: string
  readonly expert: string
  readonly payload_bytes: number
  readonly refused_at: string
  readonly buried_at: string
  readonly changed_at: string
  readonly person: string
  readonly note: string
  readonly redriven_to: string
  readonly erased: boolean
}

/** Origins travel as one parameter, which a server limits to about 1 MiB. */
const originsPerQuery = 500
const letters = 'dead_letters FINAL WHERE epoch = {epoch:String}'

export class LettersTable {
  readonly #store: Pick<Store, 'query' | 'insert'>
  readonly #epoch: string

  /** `epoch`: the topic `posts` with its epoch. */
  constructor(store: Pick<Store, 'query' | 'insert'>, epoch: string) {
    this.#store = store
    this.#epoch = epoch
  }

  /** Where the fold goes on: what it may read once more changes nothing. */
  async next(): Promise<number> {
    const [row] = await this.#store.query<{ next: number }>(
      'SELECT if(count() = 0, 0, max(head) + 1) AS next FROM dead_letters WHERE epoch = {epoch:String}',
      { epoch: this.#epoch },
    )
    return row?.next ?? 0
  }

  async states(origins: readonly string[]): Promise<Map<string, LetterState>> {
    const found = new Map<string, LetterState>()
    for (let start = 0; start < origins.length; start += originsPerQuery) {
      const rows = await this.#store.query<Row>(
        `SELECT * FROM ${letters} AND origin IN {origins:Array(String)}`,
        { epoch: this.#epoch, origins: origins.slice(start, start + originsPerQuery) },
      )
      for (const row of rows) found.set(row.origin, stateOf(row))
    }
    return found
  }

  async save(states: readonly LetterState[]): Promise<void> {
    await this.#store.insert(
      'dead_letters',
      states.map((state) => ({ epoch: this.#epoch, ...rowOf(state) })),
    )
  }

  /** Newest letter first, those below the offset `before`. */
  async list(
    filter: LetterFilter,
    page: { readonly limit: number; readonly before?: number | undefined },
  ): Promise<LetterState[]> {
    const { where, params } = this.#where({ ...filter, before: page.before })
    const rows = await this.#store.query<Row>(
      `SELECT * FROM ${where} ORDER BY letter DESC LIMIT {limit:UInt32}`,
      { ...params, limit: page.limit },
    )
    return rows.map(stateOf)
  }

  async count(filter: LetterFilter): Promise<number> {
    const { where, params } = this.#where(filter)
    const [row] = await this.#store.query<{ n: number }>(
      `SELECT count() AS n FROM ${where}`,
      params,
    )
    return row?.n ?? 0
  }

  /** How many letters of each class and state. */
  counts(): Promise<
    { readonly class: LetterClass; readonly state: LetterStatus; readonly n: number }[]
  > {
    return this.#store.query(
      `SELECT class, state, count() AS n FROM ${letters} GROUP BY class, state`,
      {
        epoch: this.#epoch,
      },
    )
  }

  #where(filter: LetterFilter & { readonly before?: number | undefined }) {
    const conditions: readonly (readonly [unknown, string])[] = [
      [filter.state, 'state = {state:String}'],
      [filter.class, 'class = {class:String}'],
      [filter.reason, 'positionCaseInsensitiveUTF8(reason, {reason:String}) > 0'],
      [filter.source, 'source = {source:String}'],
      [filter.from, "buried_at >= {from:DateTime64(3, 'UTC')}"],
      [filter.to, "buried_at < {to:DateTime64(3, 'UTC')}"],
      [filter.before, 'letter < {before:Int64}'],
    ]
    const given = conditions.filter(([value]) => value !== undefined)
    const times = {
      ...(filter.from !== undefined && { from: toStoreTime(filter.from) }),
      ...(filter.to !== undefined && { to: toStoreTime(filter.to) }),
    }
    return {
      where: [letters, ...given.map(([, condition]) => condition)].join(' AND '),
      params: { ...defined(filter), ...times, epoch: this.#epoch },
    }
  }
}

function defined(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function rowOf(state: LetterState): Row {
  const { postId, payloadBytes, refusedAt, buriedAt, changedAt, by, redrivenTo, ...same } = state
  return {
    ...same,
    post_id: postId,
    payload_bytes: payloadBytes,
    refused_at: toStoreTime(refusedAt),
    buried_at: toStoreTime(buriedAt),
    changed_at: toStoreTime(changedAt),
    person: by,
    redriven_to: redrivenTo,
  }
}

function stateOf(row: Row): LetterState {
  return {
    origin: row.origin,
    head: row.head,
    letter: row.letter,
    state: row.state,
    class: letterClasses.find((known) => known === row.class) ?? 'other',
    reason: row.reason,
    attempts: row.attempts,
    source: row.source,
    postId: row.post_id,
    expert: row.expert,
    payloadBytes: row.payload_bytes,
    refusedAt: fromStoreTime(row.refused_at),
    buriedAt: fromStoreTime(row.buried_at),
    changedAt: fromStoreTime(row.changed_at),
    by: row.person,
    note: row.note,
    redrivenTo: row.redriven_to,
    erased: row.erased,
  }
}
