import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createServer,
  get,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { silentLogger } from '../../infra/logger.ts'
import type { Cursor, Tail } from '../../infra/store/tail.ts'
import type { AnalysisRow } from '../../pipeline/contract.ts'
import type { FeedPost } from '../contract.ts'
import { analysisRows } from '../rows.fixture.ts'
import { Hub } from './hub.ts'

/** A store of one partition in memory, so that megabytes pass in little time. */
class MemoryTail implements Tail {
  readonly #rows: AnalysisRow[] = []
  reads = 0

  write(count: number, textLength: number): void {
    for (let index = 0; index < count; index++) {
      const offset = this.#rows.length
      const text = `${offset} `.padEnd(textLength, 'x')
      const [post] = analysisRows({
        id: `${offset}`,
        text,
        partition: 0,
        offset,
        publishedAt: offset,
      })
      if (post !== undefined) this.#rows.push(post)
    }
  }

  async read<Row>(cursor: Cursor, limit: number): Promise<{ rows: Row[]; cursor: Cursor }> {
    this.reads++
    const from = cursor[0] ?? 0
    const rows = this.#rows.slice(from, from + limit)
    return { rows: rows as Row[], cursor: { 0: from + rows.length } }
  }

  async end(): Promise<Cursor> {
    return { 0: this.#rows.length }
  }
}

describe('Hub', () => {
  const tail = new MemoryTail()
  const hub = new Hub({
    tail,
    logTopic: 'posts@0',
    logger: silentLogger,
    find: () => undefined,
    pollMs: 5,
    ringCapacity: 500,
  })
  const responses: ServerResponse[] = []
  let server: Server

  const open = async (id?: string): Promise<IncomingMessage> => {
    const { port } = server.address() as AddressInfo
    const headers = id === undefined ? {} : { 'last-event-id': id }
    const [response] = await once(get({ port, agent: false, headers }), 'response')
    return response
  }

  before(async () => {
    server = createServer((request, response) => {
      responses.push(response)
      response.writeHead(200).flushHeaders()
      void hub.attach(response, request.headers['last-event-id']?.toString())
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
  })

  after(async () => {
    await hub.stop()
    server.close()
  })

  it('queues at most one event for a reader that takes nothing, and later loses nothing of it', async () => {
    const slow = await open()
    const quick = await open()
    await waitFor(slow, (text) => text.includes('hello'))
    slow.pause()
    const total = 20_000
    tail.write(total, 600)
    const offsets = await readOffsets(quick, total)
    assert.deepEqual(
      offsets,
      Array.from({ length: total }, (_, index) => index),
    )
    const unwritten = responses[0]?.writableLength ?? 0
    assert.ok(unwritten > 0, 'the slow reader should be behind')
    assert.ok(unwritten < 150_000, `${unwritten} bytes wait for the slow reader`)
    assert.deepEqual(await readOffsets(slow, total), offsets)
    slow.destroy()
    quick.destroy()
  })

  it('reads the store once for all readers that follow', async () => {
    const readers = await Promise.all(Array.from({ length: 10 }, () => open()))
    await Promise.all(readers.map((reader) => waitFor(reader, (text) => text.includes('hello'))))
    const before = tail.reads
    tail.write(100, 10)
    await Promise.all(readers.map((reader) => readOffsets(reader, 100)))
    for (const reader of readers) reader.destroy()
    assert.ok(tail.reads - before < 10, `${tail.reads - before} reads for one write`)
  })
})

async function waitFor(response: IncomingMessage, done: (text: string) => boolean): Promise<void> {
  let text = ''
  while (!done(text)) {
    const chunk: Buffer | null = response.read()
    if (chunk === null) await once(response, 'readable')
    else text += chunk.toString()
  }
}

/** The offsets of the first `count` posts that come. */
async function readOffsets(response: IncomingMessage, count: number): Promise<number[]> {
  const offsets: number[] = []
  let text = ''
  while (offsets.length < count) {
    const chunk: Buffer | null = response.read()
    if (chunk === null) {
      await once(response, 'readable')
      continue
    }
    text += chunk.toString('latin1')
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = /^event:posts\ndata:(.*)$/m.exec(block)?.[1]
      if (data !== undefined)
        offsets.push(...(JSON.parse(data) as FeedPost[]).map(({ offset }) => offset))
    }
  }
  return offsets
}
