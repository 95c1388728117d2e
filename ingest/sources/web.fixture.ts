/** For tests: a publisher's server, and what a source is run in. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { topics } from '../../infra/log/log.ts'
import type { Post } from '../contract.ts'
import { ScriptedLog } from '../scripted-log.fixture.ts'
import type { VirtualTime } from '../virtual-time.fixture.ts'
import { createLogDelivery } from './delivery.ts'
import { Hosts } from './hosts.ts'
import { createFetcher, type Fetcher, type FetchLimits } from './http.ts'
import type { ReadingCounts, RunContext } from './source.ts'
import type { SourceState } from './state.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export class Web {
  readonly requests: IncomingMessage[] = []
  answer: Answer = (_request, response) => response.writeHead(404).end()
  readonly #server: Server = createServer((request, response) => {
    this.requests.push(request)
    this.answer(request, response)
  })

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`
  }

  /** Answers every request with the same document. */
  serve(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): void {
    this.answer = (_request, response) => response.writeHead(200, headers).end(body)
  }

  paths(): (string | undefined)[] {
    return this.requests.map(({ url }) => url)
  }
}

export function fetcherFor(time: VirtualTime, limits: Partial<FetchLimits> = {}): Fetcher {
  const { clock, sleep } = time
  return createFetcher({
    hosts: new Hosts({ clock, sleep }),
    clock,
    limits: {
      userAgent: 'Tickertone/test',
      minIntervalMs: 1_000,
      timeoutMs: 5_000,
      maxBytes: 1_048_576,
      ...limits,
    },
  })
}

/** What a source is run in, over a log that can fail and a state that a restart finds again. */
export class Run implements RunContext {
  readonly log = new ScriptedLog()
  readonly delivery
  readonly stopping = new AbortController()
  readonly signal = this.stopping.signal
  outageMs = 900_000
  state: SourceState = {}
  readonly readings: ReadingCounts[] = []
  readonly oddities: string[] = []
  readonly #topics: string[] = []

  constructor(time: VirtualTime) {
    const { clock, sleep } = time
    const log = {
      append: async (...[topic, records]: Parameters<ScriptedLog['append']>) => {
        const positions = await this.log.append(topic, records)
        for (const _ of records) this.#topics.push(topic)
        return positions
      },
    }
    this.delivery = createLogDelivery({ log, clock, sleep })
  }

  readonly load = async () => this.state

  readonly save = async (state: SourceState) => {
    this.state = JSON.parse(JSON.stringify(state))
  }

  readonly onReading = (counts: ReadingCounts) => {
    this.readings.push(counts)
  }

  readonly onOddity = (message: string) => {
    this.oddities.push(message)
  }

  /** Posts that were appended since the last call. */
  posts(): Post[] {
    return this.#takeOf(topics.posts) as Post[]
  }

  letters(): { origin: string; reason: string; payload: string }[] {
    return this.#takeOf(topics.dead) as { origin: string; reason: string; payload: string }[]
  }

  #taken = new Map<string, number>()

  #takeOf(topic: string): unknown[] {
    const all = this.log.records.filter((_record, index) => this.#topics[index] === topic)
    const from = this.#taken.get(topic) ?? 0
    this.#taken.set(topic, all.length)
    return all.slice(from).map(({ value }) => JSON.parse(value.toString()))
  }
}
