/**
 * `POST /api/feedback`: labels of posts that somebody chose, one, an array, or NDJSON, with a verdict for each. `POST /api/labels` takes the same for
 * posts of the label queue.
 *
 * Only JSON media types are taken, so that no page of another origin can label without asking first (CORS).
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { decodeJson } from '../../ingest/contract.ts'
import { tasks } from '../contract.ts'
import {
  anonymous,
  decodeLabel,
  delays,
  isRefused,
  type Label,
  maxLabelBytes,
  maxLabellerLength,
  parseLabel,
  type Refused,
  refusals,
  refuse,
  type Taken,
  type Through,
} from '../feedback/label.ts'
import type { Feedback } from '../feedback/service.ts'

export const maxBodyBytes = 1_048_576
export const maxLabels = 1_000
/** A post that is not scored yet is scored within seconds, when nothing is wrong. */
export const retryAfterSeconds = 5

export const LabelInput = Type.Object(
  {
    post_id: Type.String({ minLength: 1, maxLength: 200 }),
    version: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Of the post; its newest scored one unless told.' }),
    ),
    task: Type.Enum(tasks),
    label: Type.String({ description: 'A name of the task: negative, Earnings.' }),
    labeller: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: maxLabellerLength,
        default: anonymous,
        description: 'Who says so. Two labellers may disagree: both labels stand.',
      }),
    ),
  },
  { additionalProperties: false },
)

const statusByReason = { ...refusals, ...delays } as const
const reasons = Object.keys(statusByReason) as (keyof typeof statusByReason)[]

export const LabelVerdict = Type.Object({
  index: Type.Integer({ description: 'Place in the request, from 0; blank lines do not count.' }),
  verdict: Type.Enum(['accepted', 'refused', 'retry'], {
    description:
      'accepted: durable in the log. refused: sending it again is useless. retry: send it again later.',
  }),
  offset: Type.Optional(Type.Integer({ description: 'In topic feedback.' })),
  repeated: Type.Optional(
    Type.Boolean({ description: 'It stood there already: nothing was appended.' }),
  ),
  reason: Type.Optional(
    Type.Enum(reasons, {
      description: 'Why it was not taken; stable.',
    }),
  ),
  message: Type.Optional(Type.String({ description: 'The reason for a person.' })),
})
export type LabelVerdict = Type.Static<typeof LabelVerdict>

const resultShape = {
  accepted: Type.Integer(),
  refused: Type.Integer(),
  retry: Type.Integer(),
  rows: Type.Array(LabelVerdict),
  error: Type.Optional(
    Type.Object(
      { code: Type.String(), message: Type.String() },
      { description: 'Where no label was accepted: the first reason.' },
    ),
  ),
}
export const LabelResult = Type.Object(resultShape)
export type LabelResult = Type.Static<typeof LabelResult>

const described = (description: string) => Type.Object(resultShape, { description })
const comeAgain = {
  'Retry-After': { type: 'integer', description: 'Seconds to wait before the next attempt.' },
}

export function labelSchema(words: {
  readonly operationId: string
  readonly summary: string
  readonly description: string
}) {
  return {
    ...words,
    tags: ['labels'],
    body: {
      content: {
        'application/json': { schema: Type.Union([LabelInput, Type.Array(LabelInput)]) },
        'application/x-ndjson': {
          schema: Type.String({
            description: `One label a line, each up to ${maxLabelBytes} bytes.`,
          }),
        },
      },
    },
    response: {
      200: described('Every label is judged; some are not accepted.'),
      202: described('Every label is accepted.'),
      400: described('No label is accepted; also: no JSON, an unknown task, an unknown label.'),
      404: described('One label, of a post or version that is unknown.'),
      409: Type.Object(resultShape, {
        description: 'One label: the post is not scored yet (retry), or not in the queue.',
        headers: comeAgain,
      }),
      410: described('One label, of a post whose text was erased.'),
      413: Type.Object(
        { error: Type.Object({ code: Type.String(), message: Type.String() }) },
        {
          description: `More than ${maxBodyBytes} bytes, or more than ${maxLabels} labels: nothing is taken.`,
        },
      ),
      422: described(
        'One label, of a post that has no result (dead, unsupported), or that an expert cannot read.',
      ),
      503: Type.Object(resultShape, {
        description:
          'An expert or the log does not answer: labels of verdict retry were not taken.',
        headers: comeAgain,
      }),
    },
  }
}

export function feedbackRoutes(feedback: Pick<Feedback, 'takeAll'>): FastifyPluginAsyncTypebox {
  return labelTaking('/api/feedback', 'feedback', feedback, {
    operationId: 'giveFeedback',
    summary: 'Label posts of your choice',
    description:
      'Answers when the accepted labels are durable in the log. They teach the weights of the experts; figures of accuracy leave them out, as nobody knows how the posts were chosen. The same label may come twice without harm.',
  })
}

/** Its own scope: the body is read as bytes here, so that one bad label spoils no other. */
export function labelTaking(
  path: string,
  through: Through,
  feedback: Pick<Feedback, 'takeAll'>,
  words: Parameters<typeof labelSchema>[0],
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.removeAllContentTypeParsers()
    const asBytes = { parseAs: 'buffer', bodyLimit: maxBodyBytes } as const
    app.addContentTypeParser('application/json', asBytes, async (_: unknown, body: Buffer) =>
      labelsOfJson(body),
    )
    app.addContentTypeParser('application/x-ndjson', asBytes, async (_: unknown, body: Buffer) =>
      labelsOfLines(body),
    )
    app.post(
      path,
      { schema: labelSchema(words), validatorCompiler: () => () => true },
      async (request, reply) => {
        const given = (request.body as Given[] | undefined) ?? labelsOfJson(Buffer.alloc(0))
        if (given.length > maxLabels) return reply.code(413).send(tooMany)
        const result = resultOf(await takeGiven(feedback, given, through))
        const status = statusOf(result)
        if (result.retry > 0) reply.header('retry-after', retryAfterSeconds)
        return reply.code(status).send(result)
      },
    )
  }
}

type Given = Label | Refused

const tooMany = {
  error: { code: 'TOO_LARGE', message: `A request holds at most ${maxLabels} labels` },
}

function labelsOfJson(body: Buffer): Given[] {
  const json = decodeJson(body)
  if (!json.ok) return [refuse('invalid', json.reason)]
  return Array.isArray(json.value) ? json.value.map(parseLabel) : [parseLabel(json.value)]
}

function labelsOfLines(body: Buffer): Given[] {
  const labels: Given[] = []
  for (let from = 0; from < body.length; ) {
    const end = body.indexOf(0x0a, from)
    const line = body.subarray(from, end === -1 ? body.length : end)
    if (!/^\s*$/.test(line.toString('latin1'))) labels.push(decodeLabel(line))
    from = end === -1 ? body.length : end + 1
  }
  return labels
}

async function takeGiven(
  feedback: Pick<Feedback, 'takeAll'>,
  given: readonly Given[],
  through: Through,
): Promise<Taken[]> {
  const labels = given.filter((label): label is Label => !isRefused(label))
  const taken = (await feedback.takeAll(labels, through))[Symbol.iterator]()
  return given.map((label) => {
    if (isRefused(label)) return label
    const next = taken.next()
    if (next.done) throw new RangeError('one answer a label')
    return next.value
  })
}

function resultOf(taken: readonly Taken[]): LabelResult {
  const counts = { accepted: 0, refused: 0, retry: 0 }
  for (const { verdict } of taken) counts[verdict]++
  const rows = taken.map((each, index) => ({ index, ...each }))
  const first = taken.find((each) => each.verdict !== 'accepted')
  if (first === undefined || counts.accepted > 0) return { ...counts, rows }
  return { ...counts, rows, error: { code: 'FEEDBACK', message: first.message } }
}

/** Of a single label its own; of several the push interface's. */
function statusOf({ accepted, refused, retry, rows }: LabelResult) {
  const [only, another] = rows
  if (only !== undefined && another === undefined && only.reason !== undefined)
    return statusByReason[only.reason]
  if (retry > 0) return 503
  if (refused === 0) return 202
  return accepted > 0 ? 200 : 400
}
