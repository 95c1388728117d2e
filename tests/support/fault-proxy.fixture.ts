/**
 * A TCP proxy that fails on purpose, at the moment that a script names: for HTTP, and for Kafka where the broker advertises its port.
 *
 * A connection is a row of exchanges: the bytes that a client sends until the server's next bytes are a *request*, those are its
 * *answer*. The script is asked at the first bytes of each, before they go on, and may take its time: what it waits for is how a test
 * acts at that very moment.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface Moment {
  readonly at: 'request' | 'answer'
  /** The request's bytes so far, 64 KiB at most. */
  readonly request: Buffer
  /** Connections are counted from 0. */
  readonly connection: number
}

export type Verdict =
  | 'pass'
  /** Both ends see the connection end. */
  | 'cut'
  /** Both ends see it reset. */
  | 'reset'
  /** So many bytes of the request go on, and then it is cut. */
  | { readonly cutAfter: number }

export type Script = (moment: Moment) => Verdict | Promise<Verdict>

/** An exchange that stands still at the moment that was waited for. */
export interface Held {
  readonly moment: Moment
  decide(verdict: Verdict): void
}

export interface FaultProxy {
  readonly host: string
  readonly port: number
  /** Replaces the script; without one everything passes. */
  play(script?: Script): void
  /** Resolves at the next such moment, which stands still until it is decided. Others pass by the script. */
  hold(at: Moment['at'], of: (request: Buffer) => boolean): Promise<Held>
  /** Decides the next such moment, and resolves when it came. */
  strike(at: Moment['at'], of: (request: Buffer) => boolean, verdict: Verdict): Promise<Moment>
  /** Refuses connections and resets those that are open, until `accept`. */
  refuse(): Promise<void>
  /** Listens again, at the same port. */
  accept(): Promise<void>
  /** Idempotent. Nothing stays held. */
  close(): Promise<void>
}

const headBytes = 64 * 1024

export async function startFaultProxy(to: {
  readonly host: string
  readonly port: number
}): Promise<FaultProxy> {
  let script: Script = () => 'pass'
  const waiting: { at: Moment['at']; of: (request: Buffer) => boolean; come(held: Held): void }[] =
    []
  const open = new Set<Connection>()
  let count = 0

  const judge: Script = (moment) => {
    const place = waiting.findIndex(({ at, of }) => at === moment.at && of(moment.request))
    const [awaited] = place < 0 ? [] : waiting.splice(place, 1)
    if (awaited === undefined) return script(moment)
    return new Promise((decide) => awaited.come({ moment, decide }))
  }

  let server: Server | undefined
  let port = 0
  const accept = async () => {
    if (server !== undefined) return
    server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
      const connection = new Connection(client, to, count, judge)
      count += 1
      open.add(connection)
      void connection.ended.then(() => open.delete(connection))
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  const refuse = async () => {
    const closed = server && once(server, 'close')
    server?.close()
    server = undefined
    for (const connection of open) connection.fail('reset')
    await closed
  }

  await accept()
  const hold: FaultProxy['hold'] = (at, of) =>
    new Promise((come) => {
      waiting.push({ at, of, come })
    })
  return {
    host: '127.0.0.1',
    port,
    play(next = () => 'pass') {
      script = next
    },
    hold,
    async strike(at, of, verdict) {
      const { moment, decide } = await hold(at, of)
      decide(verdict)
      return moment
    },
    refuse,
    accept,
    close: refuse,
  }
}

class Connection {
  readonly ended: Promise<unknown>
  readonly #client: Socket
  readonly #server: Socket
  readonly #number: number
  readonly #judge: Script
  #request = Buffer.alloc(0)
  #phase: 'request' | 'answer' = 'answer'
  #left = Number.POSITIVE_INFINITY

  constructor(
    client: Socket,
    to: { readonly host: string; readonly port: number },
    number: number,
    judge: Script,
  ) {
    this.#client = client
    this.#server = connect({ ...to, allowHalfOpen: true })
    this.#number = number
    this.#judge = judge
    for (const socket of [this.#client, this.#server]) socket.on('error', () => this.fail('reset'))
    this.ended = Promise.all([
      this.#pass(this.#client, this.#server, 'request'),
      this.#pass(this.#server, this.#client, 'answer'),
    ])
    client.resume()
  }

  fail(how: 'cut' | 'reset'): void {
    for (const socket of [this.#client, this.#server])
      if (how === 'reset') socket.resetAndDestroy()
      else socket.destroy()
  }

  /** Either end's failure ends both. */
  async #pass(from: Socket, to: Socket, at: Moment['at']): Promise<void> {
    try {
      // An end says only that this side sends no more.
      for await (const chunk of from.iterator({ destroyOnReturn: false }))
        if (!(await this.#forward(chunk as Buffer, to, at))) return
      to.end()
    } catch {
      this.fail('reset')
    }
  }

  async #forward(chunk: Buffer, to: Socket, at: Moment['at']): Promise<boolean> {
    const begins = this.#phase !== at
    if (at === 'request') this.#remember(chunk, begins)
    this.#phase = at
    if (begins) await this.#decide(at)
    const bytes = at === 'request' ? chunk.subarray(0, this.#left) : chunk
    if (at === 'request') this.#left -= bytes.length
    if (to.destroyed) return false
    // Written out, or what a cut leaves of a request would be lost in this process.
    await new Promise<void>((written, failed) => {
      to.write(bytes, (error) => (error ? failed(error) : written()))
    })
    if (this.#left <= 0) this.fail('cut')
    return !to.destroyed
  }

  async #decide(at: Moment['at']): Promise<void> {
    const verdict = await this.#judge({ at, request: this.#request, connection: this.#number })
    if (verdict === 'cut' || verdict === 'reset') this.fail(verdict)
    else if (verdict !== 'pass') this.#left = verdict.cutAfter
  }

  #remember(chunk: Buffer, begins: boolean): void {
    const before = begins ? Buffer.alloc(0) : this.#request
    if (before.length < headBytes)
      this.#request = Buffer.concat([before, chunk]).subarray(0, headBytes)
  }
}
