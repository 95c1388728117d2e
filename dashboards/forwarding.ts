/**
 * The routes of other roles on the port of the pages, where those roles run in processes of their own: each request goes to the role's address
 * and its answer comes back, both as streams. Of headers only those pass that describe the body or the reader's place: who asked, from which
 * page and with which rights was checked here, and the other process believes nobody.
 */
import replyFrom from '@fastify/reply-from'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { AppError, describeError } from '../infra/errors.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** A path of a role; whatever is below it belongs to the role too. */
interface Route {
  readonly path: string
  /** Every one unless told. */
  readonly methods?: readonly Method[]
}

/** What the pages and commands ask of the other roles. `GET /api/posts` is a question of the dashboards' own. */
export const forwardedRoutes = {
  ingest: [{ path: '/api/posts', methods: ['POST'] }, { path: '/api/sources' }],
  pipeline: [
    { path: '/api/feedback' },
    { path: '/api/labels' },
    { path: '/api/explain' },
    { path: '/api/allocation' },
    { path: '/api/experts' },
    { path: '/api/deadletters' },
    { path: '/api/erasures' },
  ],
  alerts: [{ path: '/api/alerts' }],
} as const satisfies Readonly<Record<string, readonly Route[]>>
export type ForwardedRole = keyof typeof forwardedRoutes

const everyMethod: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const requestHeaders = ['accept', 'content-type', 'content-length', 'content-encoding']
const responseHeaders = ['content-type', 'content-length', 'retry-after']

/** Longer than any of these routes works. */
const patienceMs = 65_000
const connectMs = 3_000
const connections = 32

/** `urls`: where the roles answer; '' for one that is not there. */
export function forwardRoutes(urls: Readonly<Record<ForwardedRole, string>>): FastifyPluginAsync {
  return async (server) => {
    for (const role of Object.keys(forwardedRoutes) as ForwardedRole[])
      await server.register(async (scope) => forwardRole(scope, role, urls[role]))
  }
}

async function forwardRole(scope: FastifyInstance, role: ForwardedRole, url: string) {
  const routes: readonly Route[] = forwardedRoutes[role]
  // Bodies pass unread, whatever they are.
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  await scope.register(replyFrom, {
    ...(url !== '' && { base: url }),
    disableRequestLogging: true,
    retryMethods: [],
    destroyAgent: true,
    undici: {
      connections,
      headersTimeout: patienceMs,
      bodyTimeout: patienceMs,
      connect: { timeout: connectMs },
    },
  })
  for (const { path, methods = everyMethod } of routes.flatMap(withAllBelow))
    scope.route({
      method: [...methods],
      url: path,
      schema: { hide: true },
      async handler(request, reply) {
        if (url === '') throw notConfigured(role)
        return reply.from(request.url, {
          rewriteRequestHeaders: (_request, headers) => ({
            ...only(requestHeaders, headers),
            host: headers.host,
          }),
          rewriteHeaders: (headers) => only(responseHeaders, headers),
          onError: (answer, { error }) => answer.send(unreachable(role, error)),
        })
      },
    })
}

const withAllBelow = (route: Route): Route[] => [route, { ...route, path: `${route.path}/*` }]

function only<Value>(
  names: readonly string[],
  headers: Readonly<Record<string, Value>>,
): Record<string, Value> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

const notConfigured = (role: ForwardedRole) =>
  new AppError(
    'ROLE_AWAY',
    `The role ${role} answers this, and nothing says where it runs: set FORWARD_${role.toUpperCase()}_URL`,
  )

const unreachable = (role: ForwardedRole, error: Error) =>
  new AppError(
    'ROLE_AWAY',
    `The role ${role} does not answer: ${describeError(error.cause ?? error)}`,
    { retryable: true, cause: error },
  )
