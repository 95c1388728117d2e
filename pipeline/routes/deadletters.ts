/** Dead letters over HTTP: what was refused and why, and what to do about it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { letterClasses, parseInstant, parsePost } from '../../ingest/contract.ts'
import { letterStates } from '../deadletters/fold.ts'
import {
  idOf,
  Letter,
  LetterDetail,
  type Letters,
  letterView,
  originOf,
} from '../deadletters/letters.ts'
import { isRefused, type Refusal, refusals } from '../deadletters/redrive.ts'
import type { LetterFilter } from '../deadletters/table.ts'

const Instant = Type.String({ maxLength: 40, description: 'RFC 3339 date and time with a zone.' })

const filter = {
  class: Type.Optional(Type.Enum(letterClasses)),
  reason: Type.Optional(Type.String({ maxLength: 200, description: 'A part of it.' })),
  source: Type.Optional(Type.String({ maxLength: 100 })),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
}
type FilterInput = Type.Static<Type.TObject<typeof filter>>

const ListQuery = Type.Object(
  {
    state: Type.Optional(Type.Enum(letterStates)),
    ...filter,
    limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 50 }),
    before: Type.Optional(
      Type.String({ pattern: '^\\d{1,16}$', description: "The previous answer's `before`." }),
    ),
  },
  { additionalProperties: false },
)

const LetterList = Type.Object(
  {
    letters: Type.Array(Letter),
    before: Type.Union([Type.String(), Type.Null()], {
      description: 'Asks for the next page; null behind the last letter.',
    }),
  },
  { description: 'Newest first.' },
)

const person = {
  by: Type.String({ minLength: 1, maxLength: 100, default: 'anonymous' }),
  note: Type.String({ maxLength: 1_000, default: '', description: 'Why.' }),
}

const Redrive = Type.Object(
  {
    ...person,
    post: Type.Optional(
      Type.Unknown({ description: 'A post to append in place of the payload: the letter mended.' }),
    ),
  },
  { additionalProperties: false },
)
const Drop = Type.Object(person, { additionalProperties: false })

const Bulk = Type.Object(
  {
    ...person,
    ...filter,
    limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
    dry_run: Type.Boolean({ default: false, description: 'Counts, and does nothing.' }),
  },
  { additionalProperties: false },
)

const BulkResult = Type.Object({
  matched: Type.Integer({
    description: 'Open letters that the filter names, beyond the limit too.',
  }),
  done: Type.Integer(),
  refused: Type.Array(
    Type.Object({ id: Type.String(), reason: Type.String(), message: Type.String() }),
  ),
  dry_run: Type.Boolean(),
})
export type BulkResult = Type.Static<typeof BulkResult>

const Failure = Type.Object({ error: Type.Object({ code: Type.String(), message: Type.String() }) })
const failures = { 400: Failure, 404: Failure, 409: Failure, 410: Failure, 422: Failure }

const OfLetter = Type.Object({
  id: Type.String({ maxLength: 300, description: 'As GET /api/deadletters gives it.' }),
})

export function deadLetterRoutes(letters: Letters): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/deadletters',
      {
        schema: {
          operationId: 'listDeadLetters',
          tags: ['dead letters'],
          summary: 'Records that were refused, newest first',
          querystring: ListQuery,
          response: { 200: LetterList, 400: Failure },
        },
      },
      async ({ query }, reply) => {
        const { state, limit, before } = query
        const asked = filterOf(query)
        if (asked === undefined) return reply.code(400).send(badTime)
        const page = { limit, before: before === undefined ? undefined : Number(before) }
        const found = await letters.list({ ...asked, state }, page)
        const last = found.length < limit ? undefined : found.at(-1)
        return {
          letters: found.map(letterView),
          before: last === undefined ? null : String(last.letter),
        }
      },
    )
    app.get(
      '/api/deadletters/:id',
      {
        schema: {
          operationId: 'showDeadLetter',
          tags: ['dead letters'],
          summary: 'A letter with its payload and stack',
          description: 'Both are as a stranger sent them: escape what you show.',
          params: OfLetter,
          response: { 200: LetterDetail, 404: Failure },
        },
      },
      async ({ params }, reply) => {
        const shown = await letters.show(originOf(params.id))
        return isRefused(shown) ? reply.code(404).send(failure(shown)) : shown
      },
    )
    app.post(
      '/api/deadletters/:id/redrive',
      {
        schema: {
          operationId: 'redriveDeadLetter',
          tags: ['dead letters'],
          summary: 'Append the post of a letter anew',
          description:
            'It keeps its dates and its origin: refused again, it is the same letter with one attempt more.',
          params: OfLetter,
          body: Redrive,
          response: { 200: Letter, ...failures },
        },
      },
      async ({ params, body: { post: edited, ...person } }, reply) => {
        const parsed = edited === undefined ? undefined : parsePost(edited, letters.now())
        if (parsed?.ok === false)
          return reply.code(422).send(failure({ refused: 'no-post', message: parsed.reason }))
        const answer = await letters.redrive(originOf(params.id), person, parsed?.post)
        if (isRefused(answer)) return reply.code(refusals[answer.refused]).send(failure(answer))
        return letterView(answer)
      },
    )
    app.post(
      '/api/deadletters/:id/drop',
      {
        schema: {
          operationId: 'dropDeadLetter',
          tags: ['dead letters'],
          summary: 'Close a letter without a redrive',
          params: OfLetter,
          body: Drop,
          response: { 200: Letter, ...failures },
        },
      },
      async ({ params, body }, reply) => {
        const answer = await letters.drop(originOf(params.id), body)
        if (isRefused(answer)) return reply.code(refusals[answer.refused]).send(failure(answer))
        return letterView(answer)
      },
    )
    for (const action of ['redrive', 'drop'] as const)
      app.post(
        `/api/deadletters/${action}`,
        {
          schema: {
            operationId: `${action}DeadLetters`,
            tags: ['dead letters'],
            summary: `${action === 'redrive' ? 'Redrive' : 'Drop'} the open letters that a filter names, newest first`,
            body: Bulk,
            response: { 200: BulkResult, 400: Failure },
          },
        },
        async ({ body }, reply) => {
          const asked = filterOf(body)
          if (asked === undefined) return reply.code(400).send(badTime)
          const { by, note, limit, dry_run } = body
          const matched = await letters.count({ ...asked, state: 'open' })
          if (dry_run) return { matched, done: 0, refused: [], dry_run }
          const chosen = await letters.list({ ...asked, state: 'open' }, { limit })
          const refused: BulkResult['refused'] = []
          for (const { origin } of chosen) {
            const answer = await letters[action](origin, { by, note })
            if (isRefused(answer))
              refused.push({ id: idOf(origin), reason: answer.refused, message: answer.message })
          }
          return { matched, done: chosen.length - refused.length, refused, dry_run }
        },
      )
  }
}

const badTime = {
  error: { code: 'USAGE', message: '`from` and `to` must be RFC 3339 times with a zone' },
}

/** Undefined for a time that is none. */
function filterOf(input: FilterInput): LetterFilter | undefined {
  const { class: wanted, reason, source } = input
  const [from, to] = [input.from || undefined, input.to || undefined]
  const [fromMs, toMs] = [from, to].map((text) => (text ? parseInstant(text) : undefined))
  if ((from && fromMs === undefined) || (to && toMs === undefined)) return undefined
  return { class: wanted, reason, source, from: fromMs, to: toMs }
}

function failure({ message }: Pick<Refusal, 'refused' | 'message'>) {
  return { error: { code: 'DEAD_LETTER', message } }
}
