import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { AppError } from '../../infra/errors.ts'
import type { FeedPost } from '../contract.ts'
import { createDashboards } from '../main.ts'
import {
  type Monitor,
  openTestStore,
  startMonitor,
  type TestStore,
  testDeps,
} from '../monitor.fixture.ts'
import { persistAlert, storePosts, type TestPost } from '../rows.fixture.ts'

interface StreamEvent {
  readonly name: string
  readonly id: string | undefined
  readonly data: string
}

/** Parses what has come as a browser does: an event counts once its blank line is there, and a heartbeat is none. */
async function* eventsOf(response: IncomingMessage): AsyncGenerator<StreamEvent> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      if (block.startsWith(':')) continue
      const field = (name: string) => block.match(new RegExp(`^${name}: ?(.*)$`, 'm'))?.[1]
      yield { name: field('event') ?? '', id: field('id'), data: field('data') ?? '' }
    }
  }
}

async function open(url: string, lastEventId?: string): Promise<IncomingMessage> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const request = get(`${url}/api/stream`, { headers, agent: false })
  const [response] = await once(request, 'response')
  return response
}

const partitions = 2

/** Stores `count` posts, spread over the partitions, behind those that are there. */
class Writer {
  readonly #store: TestStore['store']
  readonly next = Array.from({ length: partitions }, () => 0)

  constructor(store: TestStore['store']) {
    this.#store = store
  }

  take(partition: number): number {
    const offset = this.next[partition] ?? 0
    this.next[partition] = offset + 1
    return offset
  }

  async write(count: number): Promise<void> {
    const posts = Array.from({ length: count }, (_, index): TestPost => {
      const partition = index % partitions
      const offset = this.take(partition)
      return {
        id: `${partition}-${offset}`,
        text: `${offset}: $AAPL`,
        partition,
        offset,
        publishedAt: Date.now(),
      }
    })
    await storePosts(this.#store, posts)
  }
}

describe('the stream', () => {
  let opened: TestStore
  let monitor: Monitor
  let writer: Writer

  before(async () => {
    opened = await openTestStore()
    monitor = await startMonitor([createDashboards(testDeps(opened.store)).plugin])
    writer = new Writer(opened.store)
    await writer.write(20)
  })

  after(async () => {
    await monitor.close()
    await opened.close()
  })

  it('brings every offset once and in order over 30 cut connections while rows are written', async () => {
    const seen = Array.from({ length: partitions }, (): number[] => [])
    const start = await open(monitor.url)
    const hello = (await eventsOf(start).next()).value
    start.destroy()
    const first = [...writer.next]
    let id: string | undefined = hello.id
    let cuts = 0
    let written = 0
    const writing = (async () => {
      for (; cuts < 30; written += 20) await writer.write(20)
    })()
    const count = () => seen.reduce((sum, offsets) => sum + offsets.length, 0)
    const readOn = async (enough: number) => {
      const response = await open(monitor.url, id)
      for await (const event of eventsOf(response)) {
        id = event.id ?? id
        if (event.name === 'hello') assert.deepEqual(JSON.parse(event.data), { resumed: true })
        if (event.name !== 'posts') continue
        for (const { partition, offset } of JSON.parse(event.data) as FeedPost[])
          seen[partition]?.push(offset)
        if (count() >= enough) break
      }
      response.destroy()
    }
    for (; cuts < 30; cuts++) await readOn(count() + 1 + (cuts % 7) * 5)
    await writing
    if (count() < written) await readOn(written)
    for (const [partition, offsets] of seen.entries()) {
      const from = first[partition] ?? 0
      assert.deepEqual(
        offsets,
        Array.from({ length: written / partitions }, (_, i) => from + i),
      )
    }
  })

  it('begins behind what is stored when the id is not of this log', async () => {
    for (const id of ['nonsense', 'posts@7~0.1', '']) {
      const response = await open(monitor.url, id)
      const event = (await eventsOf(response).next()).value
      response.destroy()
      assert.deepEqual(JSON.parse(event.data), { resumed: false })
      assert.equal(event.id, `posts@0~${writer.next.map((next, p) => `${p}.${next}`).join(',')}`)
    }
  })

  it('moves the id over offsets that show nothing', async () => {
    const response = await open(monitor.url)
    const events = eventsOf(response)
    await events.next()
    const offset = writer.take(0)
    const dead = { outcome: 'dead', reason: 'text is missing' } as const
    await storePosts(opened.store, [
      { id: 'dead', text: 'x', partition: 0, offset, publishedAt: Date.now(), overrides: dead },
    ])
    const event = (await events.next()).value
    response.destroy()
    assert.equal(event.name, '')
    assert.match(event.id, new RegExp(`^posts@0~0\\.${offset + 1},`))
  })

  it('brings alert events without moving the id', async () => {
    const response = await open(monitor.url)
    const events = eventsOf(response)
    await events.next()
    await persistAlert(opened.store, { id: 'event-1' })
    const event = (await events.next()).value
    response.destroy()
    assert.equal(event.name, 'alert')
    assert.equal(event.id, undefined)
    assert.equal(JSON.parse(event.data).id, 'event-1')
  })

  it('cuts a stream off that cannot begin, so that its reader tries again', async () => {
    const query = () => Promise.reject(new AppError('STORE', 'The store is away'))
    const store = { ...opened.store, query }
    const other = await startMonitor([createDashboards(testDeps(store)).plugin])
    const response = await open(other.url)
    await assert.rejects(response.toArray(), { code: 'ECONNRESET' })
    await other.close()
  })

  it('ends open streams when the server stops', async () => {
    const other = await startMonitor([createDashboards(testDeps(opened.store)).plugin])
    const events = eventsOf(await open(other.url))
    await events.next()
    await other.close()
    assert.equal((await events.next()).done, true)
  })
})
