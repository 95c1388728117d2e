/** The HTTP server that every role mounts its routes on: request ids, error bodies, checks, health, metrics, OpenAPI. */
import { randomUUID } from 'node:crypto'
import swagger from '@fastify/swagger'
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import type { Registry } from 'prom-client'
import Type from 'typebox'
import { AppError, describeError } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import { answerError, answerNotFound } from './http-errors.ts'
import { guardRequests, isLoopback } from './security.ts'

/** Whether the process can do its work, with a word on each part of it. */
export interface Readiness {
  readonly ready: boolean
  readonly checks: Readonly<Record<string, string>>
}

export interface ServerOptions {
  readonly logger: Logger
  readonly version: string
  /** Of this process: tells it from another one at the same address. */
  readonly instance: string
  readonly metrics: Registry
  readonly readiness: () => Readiness
  /** Largest body in bytes; 16 MiB unless told. A route may allow itself another. */
  readonly bodyLimitBytes?: number
}

const maxHeaderBytes = 16 * 1024
/** An id of 200 characters as a URL writes it. */
const maxParameterLength = 200 * 9
const requestTimeoutMs = 60_000

const ReadinessAnswer = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Record(Type.String(), Type.String()),
})

/** Mount plugins on it, then `listen`. `close()` ends open streams and keeps no idle connection waiting. */
export function createServer(options: ServerOptions): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = options.logger
  const server = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: options.bodyLimitBytes ?? 16 * 1024 * 1024,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: true,
    http: { maxHeaderSize: maxHeaderBytes },
    routerOptions: { maxParamLength: maxParameterLength },
    ajv: { customOptions: { removeAdditional: false } },
  })
  server.setErrorHandler(answerError)
  server.setNotFoundHandler(answerNotFound)
  guardRequests(server)
  server.addHook('onResponse', async (request, reply) => {
    request.log.debug(
      {
        method: request.method,
        url: request.url,
        status: reply.statusCode,
        elapsedMs: reply.elapsedTime,
      },
      'request',
    )
  })
  void server.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Tickertone', version: options.version } },
  })
  void server.register(async (scope) => operations(scope, options))
  return server
}

function operations(scope: FastifyInstance, options: ServerOptions): void {
  scope.get('/api/openapi.json', { schema: { hide: true } }, async () => scope.swagger())
  scope.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type(options.metrics.contentType)
    return options.metrics.metrics()
  })
  scope.get(
    '/healthz',
    { schema: { response: { 200: Type.Object({ instance: Type.String() }) } } },
    async () => ({ instance: options.instance }),
  )
  scope.get(
    '/readyz',
    { schema: { response: { 200: ReadinessAnswer, 503: ReadinessAnswer } } },
    async (_request, reply) => {
      const readiness = options.readiness()
      return reply.code(readiness.ready ? 200 : 503).send(readiness)
    },
  )
}

/** Starts listening and resolves with the address of the page. Fails with `PORT_IN_USE` or `CONFIG`. */
export async function listen(
  server: FastifyInstance,
  at: { readonly host: string; readonly port: number },
): Promise<string> {
  if (!isLoopback(at.host))
    throw new AppError('CONFIG', `HTTP_HOST is ${at.host}: only loopback works without a login`)
  try {
    return await server.listen(at)
  } catch (cause) {
    throw listenError(cause, at)
  }
}

function listenError(cause: unknown, at: { host: string; port: number }): AppError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE')
    return new AppError(
      'PORT_IN_USE',
      `Port ${at.port} of ${at.host} is in use: stop what listens there, or set HTTP_PORT to another port (0 takes a free one)`,
      { cause },
    )
  return new AppError(
    'CONFIG',
    `Cannot listen on ${at.host}, port ${at.port}: ${describeError(cause)}; set HTTP_HOST and HTTP_PORT`,
    { cause },
  )
}
