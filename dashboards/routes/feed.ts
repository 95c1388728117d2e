/** The feed, page by page and live. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { ApiError, Feed } from '../contract.ts'
import type { DashboardsDeps } from '../dependencies.ts'
import { refuse } from '../http-errors.ts'
import { decodePosition, readFeed } from '../queries/feed.ts'
import type { Hub } from '../stream/hub.ts'

const FeedQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    before: Type.Optional(
      Type.String({ maxLength: 60, description: "The previous answer's `before`." }),
    ),
  },
  { additionalProperties: false },
)

/** The header wins: a browser sends it on its own, `after` is for a first request that goes on. */
const EventId = Type.String({ maxLength: 8_000 })

export function feedRoutes(server: FastifyInstance, deps: DashboardsDeps, hub: Hub): void {
  const routes = server.withTypeProvider<TypeBoxTypeProvider>()

  routes.get(
    '/api/posts',
    {
      schema: {
        summary: 'The newest analyses, newest first',
        querystring: FeedQuery,
        response: { 200: Feed, default: ApiError },
      },
    },
    async (request) => {
      const { limit, before } = request.query
      const position = before === undefined ? undefined : decodePosition(before)
      if (before !== undefined && position === undefined)
        throw refuse(400, 'BAD_REQUEST', '`before` is not one that this API gave')
      const { store, logTopic, instrument: find } = deps
      return readFeed(store, { logTopic, limit, before: position, find })
    },
  )

  routes.get(
    '/api/stream',
    {
      schema: {
        summary:
          'Server-sent events: hello, posts (arrays of feed posts, id = cursor), alert. Resumes behind Last-Event-ID.',
        headers: Type.Object({ 'last-event-id': Type.Optional(EventId) }),
        querystring: Type.Object(
          { after: Type.Optional(EventId) },
          { additionalProperties: false },
        ),
        response: { 503: ApiError },
      },
    },
    async (request, reply) => {
      if (hub.isFull) throw refuse(503, 'BUSY', 'Too many open streams; close a page')
      reply.hijack()
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value)
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      reply.raw.flushHeaders()
      const after = request.headers['last-event-id'] ?? request.query.after
      await hub.attach(reply.raw, after).catch((error: unknown) => {
        request.log.error({ err: error }, 'the stream could not begin')
        reply.raw.destroy()
      })
    },
  )
}
