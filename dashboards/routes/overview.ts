/** Charts and tables: the market, its movers, one instrument, the topics. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { cached } from '../cached.ts'
import { ApiError, InstrumentSeries, Overview, type Range, ranges, Topics } from '../contract.ts'
import type { DashboardsDeps } from '../dependencies.ts'
import { describeInstrument } from '../instruments.ts'
import { summarise } from '../mood.ts'
import { readMovers } from '../queries/movers.ts'
import { readInstrumentSeries, readMarketSeries } from '../queries/series.ts'
import { readTopics } from '../queries/topics.ts'
import { windowAt } from '../window.ts'

const RangeQuery = Type.Object(
  { range: Type.Enum(ranges, { default: '4h' }) },
  { additionalProperties: false },
)
const moversShown = 12
/** Pages ask every few seconds; a second old is fresh enough. */
const maxAgeMs = 1_000

export function overviewRoutes(server: FastifyInstance, deps: DashboardsDeps): void {
  const { store, clock, instrument } = deps
  const routes = server.withTypeProvider<TypeBoxTypeProvider>()

  const overview = cached({ maxAgeMs, clock }, async (range: Range): Promise<Overview> => {
    const window = windowAt(range, clock())
    const mood = await readMarketSeries(store, window)
    const { movers, instruments } = await readMovers(store, window, instrument, moversShown)
    return { window, mood, kpis: { ...summarise(mood, window), instruments }, movers }
  })

  const topics = cached({ maxAgeMs, clock }, async (range: Range): Promise<Topics> => {
    const window = windowAt(range, clock())
    return { window, topics: await readTopics(store, window) }
  })

  routes.get(
    '/api/overview',
    {
      schema: {
        summary: 'Mood, headline figures and movers of a window',
        querystring: RangeQuery,
        response: { 200: Overview, default: ApiError },
      },
    },
    (request) => overview(request.query.range),
  )

  routes.get(
    '/api/topics',
    {
      schema: {
        summary: 'Score and volume by topic and time',
        querystring: RangeQuery,
        response: { 200: Topics, default: ApiError },
      },
    },
    (request) => topics(request.query.range),
  )

  routes.get(
    '/api/instruments/:id/series',
    {
      schema: {
        summary: 'Sentiment and volume of an instrument by time',
        params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) }),
        querystring: RangeQuery,
        response: { 200: InstrumentSeries, default: ApiError },
      },
    },
    async (request) => {
      const window = windowAt(request.query.range, clock())
      const { id } = request.params
      return {
        ...describeInstrument(id, instrument),
        window,
        points: await readInstrumentSeries(store, id, window),
      }
    },
  )
}
