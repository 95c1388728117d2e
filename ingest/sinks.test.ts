import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { AppError } from '../infra/errors.ts'
import type { Post } from './contract.ts'
import { ScriptedLog } from './scripted-log.fixture.ts'
import { createLogSink, createPushSink } from './sinks.ts'

const posts: Post[] = ['a', 'b', 'c'].map((id) => ({
  id,
  source: 's',
  kind: 'news',
  text: `Text of ${id}`,
  publishedAt: '2020-06-26T00:00:00.000Z',
}))

let slept: number[]
const sleep = async (ms: number, signal?: AbortSignal) => {
  signal?.throwIfAborted()
  slept.push(ms)
}
beforeEach(() => {
  slept = []
})

const isCode = (code: string) => (error: unknown) =>
  error instanceof AppError && error.code === code

describe('createLogSink', () => {
  it('appends keyed by id, and waits longer and longer while the log is full', async () => {
    const log = new ScriptedLog()
    log.before = (call) => {
      if (call < 3) throw new AppError('LOG_FULL', 'full', { retryable: true })
    }
    const refusals = await createLogSink({ log, sleep }).send(posts)
    assert.deepEqual(refusals, [undefined, undefined, undefined])
    assert.deepEqual(slept, [250, 500, 1_000])
    assert.deepEqual(
      log.records.map(({ key, value }) => [key, JSON.parse(value.toString())]),
      posts.map((post) => [post.id, post]),
    )
  })

  it('stops waiting when the signal comes', async () => {
    const log = new ScriptedLog()
    log.before = () => {
      throw new AppError('LOG_FULL', 'full', { retryable: true })
    }
    await assert.rejects(createLogSink({ log, sleep }).send(posts, AbortSignal.abort()), {
      name: 'AbortError',
    })
  })

  it('fails at once when a retry cannot help', async () => {
    const log = new ScriptedLog()
    log.before = () => {
      throw new AppError('LOG', 'closed')
    }
    await assert.rejects(createLogSink({ log, sleep }).send(posts), isCode('LOG'))
    assert.deepEqual(slept, [])
  })
})

describe('createPushSink', () => {
  let server: Server
  let url: string
  let received: string[][]
  let answer: (ids: string[], response: Parameters<RequestListener>[1]) => void

  beforeEach(async () => {
    received = []
    server = createServer(async (request, response) => {
      const body = await text(request)
      const ids = body.split('\n').map((line) => (JSON.parse(line) as Post).id)
      received.push(ids)
      answer(ids, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => {
    server.close()
    server.closeAllConnections()
  })

  function result(ids: string[], verdictOf: (id: string) => string) {
    const rows = ids.map((id, index) => {
      const verdict = verdictOf(id)
      return { index, id, verdict, ...(verdict === 'refused' ? { reason: `no ${id}` } : {}) }
    })
    return JSON.stringify({ accepted: 0, refused: 0, retry: 0, cutOff: false, rows })
  }

  it('reports refused rows at their place', async () => {
    answer = (ids, response) =>
      response.end(result(ids, (id) => (id === 'b' ? 'refused' : 'accepted')))
    assert.deepEqual(await createPushSink({ url, sleep }).send(posts), [
      undefined,
      'no b',
      undefined,
    ])
  })

  it('sends only the rows to retry again, after what Retry-After says', async () => {
    answer = (ids, response) => {
      const [first] = ids
      const isLast = ids.length === 1
      response.writeHead(isLast ? 400 : 503, { 'retry-after': '7' })
      response.end(result(ids, (id) => (isLast ? 'refused' : id === first ? 'accepted' : 'retry')))
    }
    assert.deepEqual(await createPushSink({ url, sleep, maxAttempts: 1 }).send(posts), [
      undefined,
      undefined,
      'no c',
    ])
    assert.deepEqual(received, [['a', 'b', 'c'], ['b', 'c'], ['c']])
    assert.deepEqual(slept, [7_000, 7_000])
  })

  it('gives up on a log that stays full', async () => {
    answer = (ids, response) =>
      response.writeHead(503, { 'retry-after': '1' }).end(result(ids, () => 'retry'))
    await assert.rejects(
      createPushSink({ url, sleep, maxAttempts: 3 }).send(posts),
      isCode('LOG_FULL'),
    )
    assert.equal(received.length, 3)
  })

  it('tries again after a lost connection and an answer of a proxy', async () => {
    answer = (ids, response) => {
      if (received.length === 1) response.destroy()
      else if (received.length === 2) response.writeHead(502).end('<h1>Bad Gateway</h1>')
      else response.end(result(ids, () => 'accepted'))
    }
    assert.deepEqual(await createPushSink({ url, sleep }).send(posts), [
      undefined,
      undefined,
      undefined,
    ])
    assert.equal(received.length, 3)
  })

  it('says what to do when nothing answers', async () => {
    server.close()
    await assert.rejects(
      createPushSink({ url, sleep, maxAttempts: 3 }).send(posts),
      (error: AppError) => {
        assert.equal(error.code, 'NOT_RUNNING')
        assert.match(error.message, /start the monitor/)
        return true
      },
    )
    assert.deepEqual(slept, [250, 500])
  })

  it('fails at once when the address is no monitor', async () => {
    answer = (_, response) => response.writeHead(404).end('{"not":"it"}')
    await assert.rejects(createPushSink({ url, sleep }).send(posts), isCode('NOT_RUNNING'))
    assert.equal(received.length, 1)
  })
})
