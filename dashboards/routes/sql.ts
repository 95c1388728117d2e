/** Analyst SQL over the store's views: checked, limited, two at a time. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { describeError } from '../../infra/errors.ts'
import { ApiError, SqlAnswer } from '../contract.ts'
import type { DashboardsDeps } from '../dependencies.ts'
import { refuse } from '../http-errors.ts'
import { runStatement } from '../queries/analyst.ts'
import { Admission } from '../sql/admission.ts'
import { checkSql } from '../sql-guard.ts'

const SqlQuestion = Type.Object(
  { sql: Type.String({ minLength: 1, description: 'One SELECT over the views of docs/sql.md.' }) },
  { additionalProperties: false },
)

export function sqlRoutes(server: FastifyInstance, { store }: DashboardsDeps): void {
  const admission = new Admission({ running: 2, waiting: 8 })

  server.withTypeProvider<TypeBoxTypeProvider>().post(
    '/api/sql',
    {
      bodyLimit: 64 * 1024,
      schema: {
        summary: 'Runs one SELECT over the views',
        body: SqlQuestion,
        response: { 200: SqlAnswer, default: ApiError },
      },
    },
    async (request) => {
      if (admission.isFull) throw refuse(429, 'BUSY', 'Too many queries wait; try again')
      return admission.run(async () => {
        const verdict = await checkSql(store, request.body.sql)
        if (verdict.kind === 'refused') throw refuse(400, 'SQL_REFUSED', verdict.reason)
        return runStatement(store, verdict.statement).catch((error: unknown) => {
          throw refuse(400, 'SQL_FAILED', describeError(error))
        })
      })
    },
  )
}
