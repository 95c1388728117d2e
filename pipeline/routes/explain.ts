/** GET /api/explain/:postId: how the numbers of a post came about, to the digit. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Store } from '../../infra/store/store.ts'
import { Explanation, explain } from '../allocator/explain.ts'
import { findJudgedRow } from '../allocator/find-row.ts'
import type { Stacking } from '../allocator/stacking.ts'

const NotFound = Type.Object({
  error: Type.Object({ code: Type.String(), message: Type.String() }),
})

export function explainRoutes({
  store,
  stacking,
}: {
  readonly store: Pick<Store, 'query'>
  readonly stacking: Stacking
}): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/explain/:postId',
      {
        schema: {
          summary: 'How the numbers of a post came about',
          params: Type.Object({ postId: Type.String({ minLength: 1, maxLength: 200 }) }),
          querystring: Type.Object(
            { version: Type.Optional(Type.Integer({ minimum: 0 })) },
            { additionalProperties: false },
          ),
          response: { 200: Explanation, 404: NotFound },
        },
      },
      async ({ params, query }, reply) => {
        const row = await findJudgedRow(store, params.postId, query.version)
        if (row !== undefined) return explain(row, stacking)
        const message = 'There is no such post among those that are stored.'
        return reply.code(404).send({ error: { code: 'NOT_FOUND', message } })
      },
    )
  }
}
