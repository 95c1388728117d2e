/**
 * The store as the writer protocol needs it, in memory, with the semantics of the real engine that the protocol leans on. Each step waits
 * its turn, so that a scheduler decides how the steps of several clients interleave.
 *
 * - An insert reads the mark once (its fence), writes its rows aside, and commits: under one lock the token is looked up among the last
 *   `window` ones and entered, and the rows show (ClickHouse: `MergeTreeSink::commitPart`).
 * - A token that is known: acknowledged, nothing stored. A crash or a full disk behind the entry: the token stays without rows.
 * - A client that gives up or is gone ends nothing: its insert goes on.
 * - Fewer than `window` others are committed while an insert runs (`max_execution_time` ends it).
 */
import type { Block, InsertOutcome, Store } from '../../infra/store/store.ts'

export type InsertFault =
  | 'none'
  | 'never-arrives'
  /** The client hears of a timeout before the insert has begun. */
  | 'given-up'
  | 'answer-lost'
  /** The engine fails between the token and the rows. */
  | 'poisoned'
  /** It stands still for as long as it can. */
  | 'slow'

/** What a store may get wrong; none of it is true of the engine. */
export interface Flaws {
  readonly noFence?: boolean
  readonly noToken?: boolean
  /** `max` of no rows is 0. */
  readonly zeroWhenEmpty?: boolean
  /** Inserts may last longer than the window remembers. */
  readonly slowInserts?: boolean
  /** Rows show some time after their token. */
  readonly lateRows?: boolean
}

export interface StoredRow {
  readonly offset: number
  readonly block_start: number
}

export type Turn = (what: string) => Promise<void>

type Answer = Promise<InsertOutcome>

export interface StoreModelOptions {
  readonly turn: Turn
  /** Tokens that the engine remembers. */
  readonly window: number
  readonly flaws: Flaws
  /** How long a slow insert stands still. */
  readonly stall: () => Promise<void>
}

export class StoreModel {
  /** In the order in which they landed. */
  readonly rows: StoredRow[] = []
  readonly #options: StoreModelOptions
  readonly #turn: Turn
  #tokens: string[] = []
  #entered = 0

  constructor(options: StoreModelOptions) {
    this.#options = options
    this.#turn = options.turn
  }

  get mark(): number {
    const empty = this.#options.flaws.zeroWhenEmpty ? 0 : -1
    return this.rows.reduce((mark, row) => Math.max(mark, row.offset), empty)
  }

  async readMark(fails: boolean): Promise<number> {
    await this.#turn('read mark')
    const { mark } = this
    await this.#turn('answer mark')
    if (fails) throw new Error('reset')
    return mark
  }

  async insert(block: Block, fault: InsertFault): Answer {
    if (fault === 'never-arrives') return this.#unknown('insert fails')
    const running = this.#run(block, fault)
    if (fault === 'given-up') return this.#unknown('give up')
    const outcome = await running
    await this.#turn('answer insert')
    return fault === 'answer-lost' ? unknown : outcome
  }

  async #unknown(what: string): Answer {
    await this.#turn(what)
    return unknown
  }

  async #run(block: Block, fault: InsertFault): Answer {
    const { flaws, window, stall } = this.#options
    await this.#turn('fence')
    if (!flaws.noFence && this.mark !== block.mark) return { kind: 'mark-moved' }
    const enteredBefore = this.#entered
    if (fault === 'slow' && !flaws.lateRows) await stall()
    await this.#turn('commit')
    const overtaken = this.#entered - enteredBefore
    if (overtaken >= window && !flaws.slowInserts) return unknown
    if (!flaws.noToken && this.#tokens.includes(block.token)) return { kind: 'acknowledged' }
    this.#tokens = [...this.#tokens, block.token].slice(-window)
    this.#entered += 1
    if (fault === 'poisoned') return unknown
    if (fault === 'slow' && flaws.lateRows) await stall()
    this.rows.push(...block.rows.map((row) => JSON.parse(row) as StoredRow))
    return { kind: 'acknowledged' }
  }

  /** As much of SQL as the writer asks for: the row at the mark. */
  query: Store['query'] = async <T>() => {
    await this.#turn('read last row')
    const { mark } = this
    const row = { partition: 0, mark, outcome: 'scored', postId: '', appendedAt }
    return (mark < 0 ? [] : [row]) as T[]
  }
}

export const appendedAt = '2026-11-24 10:00:00.000'
const unknown: InsertOutcome = { kind: 'unknown', error: new Error('reset') }
