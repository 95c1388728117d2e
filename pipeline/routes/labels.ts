/** The label queue over HTTP: what to label next, answers and skips, and what the labels say. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { labelsOf, tasks } from '../contract.ts'
import {
  anonymous,
  isLabeller,
  labellerRule,
  maxLabellerLength,
  refusals,
} from '../feedback/label.ts'
import { type LabelQueue, QueuedPost } from '../feedback/queue.ts'
import type { Feedback } from '../feedback/service.ts'
import { LabelStats } from '../feedback/stats.ts'
import { labelTaking } from './feedback.ts'

const Labeller = Type.String({ minLength: 1, maxLength: maxLabellerLength, default: anonymous })

const Asking = Type.Object(
  {
    labeller: Labeller,
    task: Type.Enum(tasks, { default: 'sentiment' }),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 10 }),
  },
  { additionalProperties: false },
)

const Next = Type.Object(
  {
    task: Type.Enum(tasks),
    labels: Type.Array(Type.String(), { description: 'The names to choose from.' }),
    posts: Type.Array(QueuedPost),
  },
  { description: 'Newest first; empty when nothing is left for this labeller.' },
)

const Skip = Type.Object(
  {
    post_id: Type.String({ minLength: 1, maxLength: 200 }),
    version: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 32 - 1 })),
    task: Type.Enum(tasks),
    labeller: Labeller,
  },
  { additionalProperties: false },
)

const Failure = Type.Object({ error: Type.Object({ code: Type.String(), message: Type.String() }) })

const failure = ({ message }: { readonly message: string }) => ({
  error: { code: 'FEEDBACK', message },
})

export interface LabelRoutesDeps {
  readonly feedback: Pick<Feedback, 'takeAll'>
  readonly queue: LabelQueue
  readonly stats: () => Promise<LabelStats>
}

export function labelRoutes({
  feedback,
  queue,
  stats,
}: LabelRoutesDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    await app.register(
      labelTaking('/api/labels', 'queue', feedback, {
        operationId: 'answerLabels',
        summary: 'Answer from the label queue',
        description:
          'For posts that GET /api/labels/next showed. Such a label counts in the figures of accuracy with the probability of its draw; any other belongs to POST /api/feedback.',
      }),
    )
    app.get(
      '/api/labels/next',
      {
        schema: {
          operationId: 'nextLabels',
          tags: ['labels'],
          summary: 'Posts to label',
          description:
            'Drawn posts of the last 28 days that the labeller has not answered for or skipped. Nothing says what the system thinks of them.',
          querystring: Asking,
          response: { 200: Next, 400: Failure },
        },
      },
      async ({ query }, reply) => {
        if (!isLabeller(query.labeller))
          return reply.code(400).send(failure({ message: labellerRule }))
        const { task } = query
        return { task, labels: [...labelsOf[task]], posts: await queue.next(query) }
      },
    )
    app.post(
      '/api/labels/skip',
      {
        schema: {
          operationId: 'skipLabel',
          tags: ['labels'],
          summary: 'Leave a post of the queue out',
          description: 'The labeller is not shown it again for this task; others are.',
          body: Skip,
          response: {
            204: Type.Null({ description: 'Skipped.' }),
            400: Failure,
            404: Failure,
            409: Failure,
            410: Failure,
            422: Failure,
          },
        },
      },
      async ({ body }, reply) => {
        const { post_id: postId, version, task, labeller } = body
        if (!isLabeller(labeller)) return reply.code(400).send(failure({ message: labellerRule }))
        const refused = await queue.skip({ postId, version, task, labeller })
        if (refused === undefined) return reply.code(204).send(null)
        return reply.code(refusals[refused.reason]).send(failure(refused))
      },
    )
    app.get(
      '/api/labels/stats',
      {
        schema: {
          operationId: 'labelStats',
          tags: ['labels'],
          summary: 'What the labels say',
          description:
            'Counts by origin and labeller, agreement of labellers, and accuracy of the result and of each expert, with 95% intervals.',
          response: { 200: LabelStats, 503: Failure },
        },
      },
      () => stats(),
    )
  }
}
