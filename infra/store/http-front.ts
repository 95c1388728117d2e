/**
 * A small front over the embedded engine that speaks as much of ClickHouse's HTTP interface as `@clickhouse/client` and
 * `openServerStore` use, so that the store of a server runs over a socket where no server can be had (docs/decisions/0086).
 * `request.ts` says what is asked, `engine.ts` runs it, `answer.ts` answers; this file has the sockets. Nothing is logged: statements
 * and their values are posts.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { answerException, answerResult } from './http-front/answer.ts'
import { type FrontEngine, openFrontEngine } from './http-front/engine.ts'
import { ServerException } from './http-front/exception.ts'
import { maxUrlBytes, parseRequest, type StatementRequest } from './http-front/request.ts'

export interface HttpFrontOptions {
  /** The engine's folder; no other process may have it open. */
  readonly path: string
  /** 0 takes a free one. */
  readonly port: number
  /** Passwords by user; without them anybody may come. */
  readonly users?: ReadonlyMap<string, string>
}

export interface HttpFront {
  /** 'http://127.0.0.1:8123' */
  readonly url: string
  /** Takes no more requests, and waits for those under way. Idempotent. */
  close(): Promise<void>
}

const keepAliveMs = 10_000

/** Listens on 127.0.0.1. Throws as `openEmbeddedStore` does for the folder, and the system's error for a port that is taken. */
export async function startHttpFront(options: HttpFrontOptions): Promise<HttpFront> {
  const engine = await openFrontEngine(options)
  const server = createServer(
    { maxHeaderSize: 2 * maxUrlBytes, keepAliveTimeout: keepAliveMs },
    (request, response) => {
      // A client keeps its connection for the next request, which a closing front does not take.
      response.on('finish', () => {
        if (!server.listening) server.closeIdleConnections()
      })
      void serve(request, response, engine, options.users)
    },
  )
  server.on('clientError', (_error, socket: Socket) => refuse(socket))
  server.listen(options.port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    await engine.close()
    throw error
  }
  let closing: Promise<void> | undefined
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      closing ??= (async () => {
        const closed = once(server, 'close')
        server.close()
        server.closeIdleConnections()
        await closed
        await engine.close()
      })()
      return closing
    },
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  engine: FrontEngine,
  users: HttpFrontOptions['users'],
): Promise<void> {
  let asked: StatementRequest | undefined
  try {
    const url = request.url ?? ''
    if (Buffer.byteLength(url) > maxUrlBytes) return refuse(request.socket)
    const body = await bodyOf(request)
    // The client is gone before it had said all: there is nothing to do, and nobody to tell.
    if (body === undefined) return
    const [path = ''] = url.split('?')
    const { method = '', headers } = request
    if (isAlive(method, url)) return void response.end('Ok.\n')
    if (path !== '/') return void response.writeHead(404).end(`There is no handle ${path}\n`)
    asked = await parseRequest({ method, url, headers, body })
    authenticate(asked, users)
    answerResult(response, asked, await engine.run(asked))
  } catch (error) {
    answerException(response, error, engine.version, asked?.queryId)
  }
}

const isAlive = (method: string, url: string): boolean =>
  method === 'GET' && ['/', '/ping', '/replicas_status'].includes(url)

async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer> | undefined> {
  try {
    return Buffer.concat(await request.toArray())
  } catch {
    return undefined
  }
}

function authenticate(request: StatementRequest, users: HttpFrontOptions['users']): void {
  if (users === undefined || users.get(request.user) === request.password) return
  throw ServerException.of(
    516,
    'AUTHENTICATION_FAILED',
    'Authentication failed: password is incorrect, or there is no user with such name',
  )
}

/** What a server answers to a request that it cannot read, one with too long a URL among them: no word of explanation. */
function refuse(socket: Socket): void {
  if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
}
