/** Forgetting posts over HTTP. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { ErasureRequest, Erasures } from '../erasure/erasures.ts'
import { ErasureView } from '../erasure/table.ts'

const Request = Type.Object(
  {
    post_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    author: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    source: Type.String({ maxLength: 100, default: '', description: "'' for any." }),
    by: Type.String({ minLength: 1, maxLength: 100, default: 'anonymous' }),
    note: Type.String({
      maxLength: 1_000,
      default: '',
      description: 'Why; hold no name of the author.',
    }),
    dry_run: Type.Boolean({ default: false, description: 'Counts, and empties nothing.' }),
  },
  { additionalProperties: false },
)

const Failure = Type.Object({ error: Type.Object({ code: Type.String(), message: Type.String() }) })

export function erasureRoutes(erasures: Erasures): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/api/erasures',
      {
        schema: {
          operationId: 'erasePosts',
          tags: ['erasures'],
          summary: 'Forget a post, or the posts of an author',
          description:
            'Empties text, title, author and url in tables, alerts, dead letters and the embedded log; offsets and results stay. Posts that come later are not touched. Answers when it is done, or when posts of before are not stored within half a minute (state begun).',
          body: Request,
          response: { 200: ErasureView, 400: Failure },
        },
      },
      async ({ body }, reply) => {
        const { post_id: postId, author, source, by, note } = body
        const named = namedOf(postId, author)
        if (named === undefined) return reply.code(400).send(notOne)
        const request: ErasureRequest = { named, source, by, note }
        return body.dry_run ? erasures.dryRun(request) : erasures.erase(request)
      },
    )
    app.get(
      '/api/erasures',
      {
        schema: {
          operationId: 'listErasures',
          tags: ['erasures'],
          summary: 'What was forgotten, newest first',
          response: { 200: Type.Object({ erasures: Type.Array(ErasureView) }) },
        },
      },
      async () => ({ erasures: await erasures.list() }),
    )
  }
}

const notOne = { error: { code: 'USAGE', message: 'Name a post_id or an author, and not both' } }

function namedOf(postId: string | undefined, author: string | undefined) {
  if (postId !== undefined && author === undefined) return { postId }
  if (author !== undefined && postId === undefined) return { author }
  return undefined
}
