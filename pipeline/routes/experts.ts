/** Who votes: GET /api/experts/serving and /api/experts/shadow tell, POST /api/experts/:name/promote and /api/experts/rollback change it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { Store } from '../../infra/store/store.ts'
import { ExpertSet } from '../contract.ts'
import type { Expert } from '../experts/expert.ts'
import { labelsWanted } from '../serving/change.ts'
import { ChangeProgress, type Promotions } from '../serving/promotions.ts'
import type { Serving } from '../serving/serving.ts'
import type { ShadowOptions } from '../serving/shadow.ts'
import { ShadowFigures, shadowFigures } from '../serving/shadow-figures.ts'

const Person = Type.String({ minLength: 1, maxLength: 100, description: 'Who does it.' })
const Note = Type.String({ maxLength: 1_000, default: '', description: 'Why.' })
const Days = Type.Integer({
  minimum: 1,
  maximum: 366,
  default: 28,
  description: 'The baseline window before now.',
})

const PromoteBody = Type.Object(
  {
    by: Person,
    note: Note,
    days: Days,
    replaces: Type.String({
      maxLength: 100,
      default: '',
      description: 'The expert whose place it takes.',
    }),
    force: Type.Boolean({
      default: false,
      description: 'With too few labels too; it is recorded.',
    }),
  },
  { additionalProperties: false },
)
const RollbackBody = Type.Object(
  { by: Person, note: Note, days: Days },
  { additionalProperties: false },
)
const Params = Type.Object({ name: Type.String({ minLength: 1, maxLength: 100 }) })

const orNull = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])

export const ServingStatus = Type.Object({
  ...ExpertSet.properties,
  controlOffset: Type.Integer({
    description: 'Of the record in force; -1 where the config says who votes.',
  }),
  promotions: Type.Array(
    Type.Object({
      expert: Type.String(),
      replaces: Type.String(),
      revision: Type.Integer(),
      labels: Type.Integer(),
      forced: Type.Boolean(),
      by: Type.String(),
      note: Type.String(),
    }),
    { description: 'Those that are not taken back, oldest first.' },
  ),
  change: orNull(ChangeProgress),
})
export type ServingStatus = Type.Static<typeof ServingStatus>

export const ShadowReport = Type.Object({
  expert: Type.String(),
  version: Type.String(),
  share: Type.Number({ description: 'Of the posts it is to run on.' }),
  votes: Type.Boolean({ description: 'It was promoted.' }),
  labelsWanted: Type.Integer({ description: 'Labels of the random share that a promotion takes.' }),
  figures: Type.Array(ShadowFigures),
})
export type ShadowReport = Type.Static<typeof ShadowReport>

export interface ExpertRoutesDeps {
  readonly store: Pick<Store, 'query'>
  readonly logTopic: string
  readonly serving: Serving
  readonly promotions: Promotions
  /** The shadow of the config, and its share of the posts. */
  readonly shadow: (Pick<Expert, 'name' | 'version'> & Pick<ShadowOptions, 'share'>) | undefined
}

export function expertRoutes(deps: ExpertRoutesDeps): FastifyPluginAsyncTypebox {
  const { promotions, serving, shadow } = deps
  return async (app) => {
    app.get(
      '/api/experts/serving',
      {
        schema: {
          summary: 'Who votes, and the change under way',
          response: { 200: ServingStatus },
        },
      },
      async () => statusOf(serving, promotions),
    )
    app.get(
      '/api/experts/shadow',
      {
        schema: {
          summary: 'How the shadow fares: agreement, and accuracy on labels of the random share',
          response: { 200: Type.Object({ shadow: orNull(ShadowReport) }) },
        },
      },
      async () => ({ shadow: shadow === undefined ? null : await reportOn(deps, shadow) }),
    )
    app.post(
      '/api/experts/:name/promote',
      {
        schema: {
          summary: 'Re-score the baseline window by the expert, then let it vote',
          params: Params,
          body: PromoteBody,
          response: { 202: ChangeProgress },
        },
      },
      async ({ params, body }, reply) =>
        reply.code(202).send(await promotions.promote({ ...body, expert: params.name })),
    )
    app.post(
      '/api/experts/rollback',
      {
        schema: {
          summary: 'Take the newest promotion back',
          body: RollbackBody,
          response: { 202: ChangeProgress },
        },
      },
      async ({ body }, reply) => reply.code(202).send(await promotions.rollback(body)),
    )
  }
}

function statusOf(serving: Serving, promotions: Promotions): ServingStatus {
  const { head, promotions: made } = serving.state()
  return {
    ...serving.set(),
    controlOffset: head,
    promotions: made.map(
      ({ record: { expert, replaces, revision, labels, forced, by, note } }) => ({
        expert,
        replaces,
        revision,
        labels,
        forced,
        by,
        note,
      }),
    ),
    change: promotions.progress() ?? null,
  }
}

async function reportOn(
  { store, logTopic, serving }: ExpertRoutesDeps,
  shadow: NonNullable<ExpertRoutesDeps['shadow']>,
): Promise<ShadowReport> {
  const { name: expert, version, share } = shadow
  return {
    expert,
    version,
    share,
    votes: serving.set().experts.includes(expert),
    labelsWanted,
    figures: await shadowFigures(store, shadow, logTopic),
  }
}
