/** The live stream: one loop tails the store for all readers, and sleeps while there is none. */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../infra/logger.ts'
import type { Cursor, Tail } from '../../infra/store/tail.ts'
import { type FeedRow, feedPost } from '../feed-post.ts'
import type { FindInstrument } from '../instruments.ts'
import { groupByOffset } from '../queries/feed.ts'
import { decodeEventId } from './event-id.ts'
import { Reader } from './reader.ts'
import { type Entry, Ring } from './ring.ts'

export interface HubOptions {
  readonly tail: Tail
  readonly logTopic: string
  readonly logger: Logger
  readonly find: FindInstrument
  readonly pollMs?: number
  readonly heartbeatMs?: number
  readonly ringCapacity?: number
  /** How long a reader's socket may take no bytes before it is cut off. */
  readonly stallMs?: number
}

const rowsPerRead = 500
const maxReaders = 200
const closeGraceMs = 1_000

export class Hub {
  readonly #options: HubOptions
  readonly #ring: Ring
  readonly #readers = new Set<Reader>()
  readonly #stopped = new AbortController()
  #cursor: Cursor = {}
  #loop: Promise<void> | undefined
  #heartbeat: NodeJS.Timeout | undefined

  constructor(options: HubOptions) {
    this.#options = options
    this.#ring = new Ring(options.ringCapacity ?? 2_000)
  }

  get isFull(): boolean {
    return this.#readers.size >= maxReaders
  }

  /**
   * Streams to `response`, whose head is written already, until either side closes. A `lastEventId` of this log goes on right
   * behind it; without one, or with one of another log, the stream begins behind what is stored now.
   */
  async attach(response: ServerResponse, lastEventId: string | undefined): Promise<void> {
    const { tail, logTopic, logger } = this.#options
    const position = lastEventId === undefined ? undefined : decodeEventId(lastEventId)
    const resumed = position?.logTopic === logTopic
    const cursor = resumed ? position.cursor : await tail.end()
    if (response.destroyed || this.#stopped.signal.aborted) {
      response.end()
      return
    }
    const reader = new Reader({
      response,
      logTopic,
      cursor,
      ring: this.#ring,
      readStored: (from, limit) => this.#read(from, limit),
      stallMs: this.#options.stallMs ?? 30_000,
      onError: (error) => logger.error({ err: error }, 'a reader of the stream failed'),
    })
    this.#readers.add(reader)
    response.once('close', () => this.#readers.delete(reader))
    reader.hello(resumed)
    this.#start()
    reader.wake()
  }

  /** Sends an alert event, given as JSON, to every reader. */
  publishAlert(json: string): void {
    for (const reader of this.#readers) reader.alert(json)
  }

  /** Ends every stream. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    clearInterval(this.#heartbeat)
    await Promise.all([...this.#readers].map((reader) => reader.close(closeGraceMs)))
    await this.#loop
  }

  #start(): void {
    this.#heartbeat ??= setInterval(() => {
      for (const reader of this.#readers) reader.heartbeat()
    }, this.#options.heartbeatMs ?? 15_000)
    this.#loop ??= this.#follow()
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped
    let known = false
    while (!signal.aborted && this.#readers.size > 0) {
      try {
        if (!known) await this.#restart()
        known = true
        if (await this.#advance()) continue
      } catch (error) {
        this.#options.logger.error({ err: error }, 'reading the store for the stream failed')
      }
      await sleep(this.#options.pollMs ?? 250, undefined, { signal }).catch(() => undefined)
    }
    // In the same turn as the last look at the readers, so that one who comes next starts a new loop.
    this.#loop = undefined
  }

  async #restart(): Promise<void> {
    this.#cursor = await this.#options.tail.end()
    this.#ring.restart(this.#cursor)
    this.#wakeAll()
  }

  async #advance(): Promise<boolean> {
    const { entries, cursor } = await this.#read(this.#cursor, rowsPerRead)
    if (entries.length === 0) return false
    this.#cursor = cursor
    this.#ring.push(entries)
    this.#wakeAll()
    return true
  }

  #wakeAll(): void {
    for (const reader of this.#readers) reader.wake()
  }

  async #read(from: Cursor, limit: number): Promise<{ entries: readonly Entry[]; cursor: Cursor }> {
    const { rows, cursor } = await this.#options.tail.read<FeedRow>(from, limit)
    return { entries: groupByOffset(rows).map((group) => this.#toEntry(group)), cursor }
  }

  #toEntry(group: readonly [FeedRow, ...FeedRow[]]): Entry {
    const [{ partition, offset, outcome }] = group
    const json = outcome === 'scored' ? JSON.stringify(feedPost(group, this.#options.find)) : null
    return { partition, offset: Number(offset), json }
  }
}
