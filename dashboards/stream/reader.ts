/**
 * One open connection of the stream. It pulls: nothing is queued for it beyond one unwritten event.
 *
 *   catching up --(the ring covers its cursor)--> following --(its place left the ring)--> catching up
 *
 * Catching up reads the store from its cursor; following reads the shared ring. Both skip what lies below the cursor, so the
 * change between them neither loses nor repeats an offset. A socket that takes no bytes stops the pull; the ring moves on
 * without it, and it catches up from the store when the socket drains, or is cut off after `stallMs`.
 */
import type { ServerResponse } from 'node:http'
import { createEventBuffer, type EventBuffer } from 'better-sse'
import type { Cursor } from '../../infra/store/tail.ts'
import { encodeEventId } from './event-id.ts'
import type { Entry, Ring } from './ring.ts'

/** Reads stored offsets from a cursor on. */
export type ReadStored = (
  cursor: Cursor,
  limit: number,
) => Promise<{ entries: readonly Entry[]; cursor: Cursor }>

export interface ReaderOptions {
  readonly response: ServerResponse
  readonly logTopic: string
  readonly cursor: Cursor
  readonly ring: Ring
  readonly readStored: ReadStored
  readonly stallMs: number
  readonly onError: (error: unknown) => void
}

const postsPerEvent = 100
const maxPendingAlerts = 100

export class Reader {
  readonly #options: ReaderOptions
  readonly #alerts: string[] = []
  #cursor: Record<number, number>
  #sequence: number | undefined
  #pumping = false
  #wanted = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#cursor = { ...options.cursor }
  }

  get #isOpen(): boolean {
    return !this.#options.response.destroyed && !this.#options.response.writableEnded
  }

  hello(resumed: boolean): void {
    const data = JSON.stringify({ resumed })
    this.#write(event('hello', data).retry(1_000).id(this.#id()))
  }

  /** Alerts carry no id: they move no cursor. A reader that lets them pile up is cut off and reloads them on its return. */
  alert(json: string): void {
    this.#alerts.push(json)
    if (this.#alerts.length > maxPendingAlerts) this.#options.response.destroy()
    else this.wake()
  }

  heartbeat(): void {
    if (this.#isOpen && !this.#options.response.writableNeedDrain)
      this.#options.response.write(createEventBuffer().comment('').dispatch().read())
  }

  /** Ends the response properly, or cuts it off when its socket does not take the end within `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const { response } = this.#options
    if (!this.#isOpen) return
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => response.destroy(), graceMs)
      const done = () => {
        clearTimeout(late)
        resolve()
      }
      response.once('close', done)
      response.end(done)
    })
  }

  /** Sends whatever is there to send; returns at once. */
  wake(): void {
    this.#wanted = true
    if (this.#pumping) return
    this.#pumping = true
    void this.#pump()
  }

  async #pump(): Promise<void> {
    try {
      while (this.#wanted && this.#isOpen) {
        this.#wanted = false
        while (this.#isOpen && (await this.#sendNext())) await this.#drained()
      }
    } catch (error) {
      this.#options.onError(error)
      this.#options.response.destroy()
    } finally {
      this.#pumping = false
    }
  }

  async #sendNext(): Promise<boolean> {
    const alert = this.#alerts.shift()
    if (alert !== undefined) {
      this.#write(event('alert', alert))
      return true
    }
    const entries = await this.#nextEntries()
    if (entries === undefined) return false
    this.#sendEntries(entries)
    return true
  }

  /** The next entries in log order, perhaps none that are new to this reader; `undefined` at the end. */
  async #nextEntries(): Promise<readonly Entry[] | undefined> {
    const { ring, readStored } = this.#options
    if (this.#sequence !== undefined && this.#sequence < ring.firstSequence)
      this.#sequence = undefined
    if (this.#sequence === undefined && ring.covers(this.#cursor))
      this.#sequence = ring.firstSequence
    if (this.#sequence !== undefined) {
      const entries = ring.from(this.#sequence, postsPerEvent)
      this.#sequence += entries.length
      return entries.length > 0 ? entries : undefined
    }
    const { entries } = await readStored(this.#cursor, postsPerEvent)
    return entries.length > 0 ? entries : undefined
  }

  #sendEntries(entries: readonly Entry[]): void {
    const unseen = entries.filter(
      ({ partition, offset }) => offset >= (this.#cursor[partition] ?? 0),
    )
    if (unseen.length === 0) return
    for (const { partition, offset } of unseen) this.#cursor[partition] = offset + 1
    const posts = unseen.flatMap(({ json }) => (json === null ? [] : [json]))
    const id = this.#id()
    this.#write(
      posts.length > 0 ? event('posts', `[${posts.join(',')}]`).id(id) : createEventBuffer().id(id),
    )
  }

  #id(): string {
    return encodeEventId(this.#options.logTopic, this.#cursor)
  }

  #write(buffer: EventBuffer): void {
    this.#options.response.write(buffer.dispatch().read())
  }

  async #drained(): Promise<void> {
    const { response, stallMs } = this.#options
    if (!response.writableNeedDrain || !this.#isOpen) return
    await new Promise<void>((resolve) => {
      const stalled = setTimeout(() => response.destroy(), stallMs)
      const done = () => {
        clearTimeout(stalled)
        response.off('drain', done)
        response.off('close', done)
        resolve()
      }
      response.once('drain', done)
      response.once('close', done)
    })
  }
}

/** `data` is JSON already: one line, since JSON escapes line breaks. */
function event(name: string, data: string): EventBuffer {
  return createEventBuffer({ serializer: String }).event(name).data(data)
}
