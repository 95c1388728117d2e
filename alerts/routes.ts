/** GET /api/alerts and GET /api/alerts/:id. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { AlertReader } from './alert-reader.ts'
import { AlertDetail, AlertList, alertStates } from './contract.ts'

const Query = Type.Object(
  {
    state: Type.Optional(Type.Enum(alertStates)),
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  },
  { additionalProperties: false },
)
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) })
const NotFound = Type.Object({ error: Type.String() })

export function alertRoutes(reader: AlertReader): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/alerts',
      {
        schema: {
          summary: 'Alerts, newest first',
          querystring: Query,
          response: { 200: AlertList },
        },
      },
      async ({ query }) => ({ alerts: [...(await reader.list(query.limit, query.state))] }),
    )
    app.get(
      '/api/alerts/:id',
      {
        schema: {
          summary: 'One alert with its events, oldest first',
          params: Params,
          response: { 200: AlertDetail, 404: NotFound },
        },
      },
      async ({ params }, reply) => {
        const detail = await reader.find(params.id)
        if (detail === undefined) return reply.code(404).send({ error: 'There is no such alert.' })
        return detail
      },
    )
  }
}
