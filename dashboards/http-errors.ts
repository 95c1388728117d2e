/** How a failure becomes an answer: `{ error: { code, message } }`, never a stack. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AppError, describeError, type ErrorCode } from '../infra/errors.ts'
import type { ApiError } from './contract.ts'

/** A refusal that belongs to HTTP alone; every other failure is an `AppError`. */
export interface HttpRefusal extends Error {
  readonly statusCode: number
  readonly refusal: string
}

export function refuse(statusCode: number, code: string, message: string): HttpRefusal {
  return Object.assign(new Error(message), { statusCode, refusal: code })
}

const statusByCode: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  UNSUPPORTED: 400,
  LOG_FULL: 503,
  STORE_LAGGING: 503,
  NO_EXPERT: 503,
  ROLE_AWAY: 503,
  PROMOTION: 409,
  DISK_FULL: 507,
}

const codeByStatus: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  404: 'NOT_FOUND',
  413: 'TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'BUSY',
  431: 'TOO_LARGE',
}

const answer = (code: string, message: string): ApiError => ({ error: { code, message } })

export function answerError(
  error: FastifyError | AppError | HttpRefusal,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (error instanceof AppError) {
    const status = statusByCode[error.code] ?? (error.retryable ? 503 : 500)
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    if (status === 503) reply.header('retry-after', '1')
    return reply.code(status).send(answer(error.code, describeError(error)))
  }
  const status = error.statusCode ?? 500
  if (status >= 500) {
    request.log.error({ err: error }, 'request failed')
    return reply
      .code(status)
      .send(answer('INTERNAL', `The request failed; the log names it ${request.id}`))
  }
  const code = 'refusal' in error ? error.refusal : (codeByStatus[status] ?? 'BAD_REQUEST')
  return reply.code(status).send(answer(code, describeError(error)))
}

export function answerNotFound(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(404).send(answer('NOT_FOUND', 'No such address'))
}
