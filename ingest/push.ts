/**
 * `POST /api/posts`: one post, an array of posts, or NDJSON, with a verdict for every row.
 *
 * Only JSON media types are taken, so that no page of another origin can push without asking first (CORS).
 */
import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Clock } from '../infra/clock.ts'
import {
  decodeJson,
  decodePost,
  maxPostBytes,
  Post,
  type PostResult,
  parsePost,
  tooLarge,
} from './contract.ts'
import type { Intake, Taken } from './intake.ts'
import { readLines } from './lines.ts'

export const maxJsonBytes = 8 * 1_048_576
const retryAfterSeconds = 5

const verdicts = ['accepted', 'refused', 'retry'] as const

export const RowVerdict = Type.Object({
  index: Type.Integer({ description: 'Place in the request, from 0; blank lines do not count.' }),
  id: Type.Optional(Type.String({ description: 'Id of the post, where it is valid.' })),
  verdict: Type.Enum(verdicts, {
    description:
      'accepted: durable in the log. refused: sending it again is useless. retry: send it again later.',
  }),
  reason: Type.Optional(Type.String({ description: 'Why it was refused.' })),
  position: Type.Optional(
    Type.Object(
      { partition: Type.Integer(), offset: Type.Integer() },
      { description: 'In topic posts.' },
    ),
  ),
})
export type RowVerdict = Type.Static<typeof RowVerdict>

const pushResultShape = {
  accepted: Type.Integer(),
  refused: Type.Integer(),
  retry: Type.Integer(),
  cutOff: Type.Boolean({
    description: 'The request holds more rows than are judged here; the others were thrown away.',
  }),
  rows: Type.Array(RowVerdict),
}
export const PushResult = Type.Object(pushResultShape)
export type PushResult = Type.Static<typeof PushResult>

const Failure = Type.Object({
  statusCode: Type.Integer(),
  code: Type.Optional(Type.String()),
  error: Type.String(),
  message: Type.String(),
})

const described = (description: string) => Type.Object(pushResultShape, { description })

const schema = {
  operationId: 'pushPosts',
  tags: ['posts'],
  summary: 'Push posts',
  description:
    'Answers when the accepted posts are durable in the log. A post may come twice without harm: the same id with the same text is a duplicate.',
  body: {
    content: {
      'application/json': { schema: Type.Union([Post, Type.Array(Post)]) },
      'application/x-ndjson': {
        schema: Type.String({ description: 'One post a line, in UTF-8. Read as it comes.' }),
      },
    },
  },
  response: {
    200: described('Every row is judged; some are refused.'),
    202: described('Every row is accepted.'),
    400: described('No row is accepted: each is refused, or the body is not JSON.'),
    413: Type.Union([PushResult, Failure], {
      description:
        'JSON of more than 8 MiB (nothing is taken), or NDJSON of too many rows (cutOff; the first ones are judged).',
    }),
    415: Type.Object(Failure.properties, {
      description: 'The media type is neither application/json nor application/x-ndjson.',
    }),
    503: Type.Object(pushResultShape, {
      description: 'The log is full or busy: rows of verdict retry were not taken.',
      headers: {
        'Retry-After': { type: 'integer', description: 'Seconds to wait before the next attempt.' },
      },
    }),
  },
}

type Rows = AsyncIterable<readonly PostResult[]>

export function createPush(deps: { intake: Intake; clock: Clock }): FastifyPluginAsyncTypebox {
  const { intake, clock } = deps
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer', bodyLimit: maxJsonBytes },
      async (_request: unknown, body: Buffer) => rowsOfJson(body, clock),
    )
    app.addContentTypeParser('application/x-ndjson', async (_request: unknown, body: Readable) =>
      rowsOfLines(body, clock),
    )
    app.post(
      '/api/posts',
      // The schema documents the body; each row is checked by itself, so that one bad row spoils no other.
      { schema, validatorCompiler: () => () => true },
      async (request, reply) => {
        const rows = request.body as Rows | undefined
        const taken = await intake.take(rows ?? rowsOfJson(Buffer.alloc(0), clock))
        const result = summarize(taken)
        const status = statusOf(result)
        if (status === 503) reply.header('retry-after', retryAfterSeconds)
        return reply.code(status).send(result)
      },
    )
  }
}

async function* rowsOfJson(body: Buffer, clock: Clock): Rows {
  const json = decodeJson(body)
  if (!json.ok) yield [json]
  else if (Array.isArray(json.value)) yield json.value.map((value) => parsePost(value, clock()))
  else yield [parsePost(json.value, clock())]
}

async function* rowsOfLines(body: Readable, clock: Clock): Rows {
  for await (const lines of readLines(body, maxPostBytes))
    yield lines.map(({ bytes }) =>
      bytes === undefined ? { ok: false, reason: tooLarge } : decodePost(bytes, clock()),
    )
}

function summarize({ verdicts: rows, cutOff }: Taken): PushResult {
  const counts = { accepted: 0, refused: 0, retry: 0 }
  for (const { verdict } of rows) counts[verdict]++
  return { ...counts, cutOff, rows: [...rows] }
}

function statusOf(result: PushResult): 200 | 202 | 400 | 413 | 503 {
  if (result.retry > 0) return 503
  if (result.cutOff) return 413
  if (result.refused === 0) return 202
  return result.accepted > 0 ? 200 : 400
}
