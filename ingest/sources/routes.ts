/** `GET /api/sources`: how live sources are doing. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import type { SourceStatus } from './supervisor.ts'

const Time = Type.Union([Type.String(), Type.Null()], { description: 'RFC 3339 in UTC.' })

export const SourceView = Type.Object({
  name: Type.String(),
  type: Type.Enum(['feed', 'json-poller', 'kafka-topic', 'file-tail']),
  owner: Type.String({ description: 'Who looks after it.' }),
  phase: Type.Enum(['stopped', 'waiting', 'reading', 'failing']),
  failures: Type.Integer({ description: 'Since the last good reading.' }),
  lastError: Type.Union([Type.String(), Type.Null()]),
  lastOddity: Type.Union([Type.String(), Type.Null()], {
    description: 'What was odd last, without keeping the source from its work.',
  }),
  lastSuccess: Time,
  lastItem: Time,
  nextRun: Time,
  silent: Type.Boolean({ description: 'Nothing new came for longer than silentAfterMs.' }),
  silentAfterMs: Type.Union([Type.Number(), Type.Null()], {
    description: 'Configured or learned; null: not known yet, or never.',
  }),
  items: Type.Object(
    {
      fresh: Type.Integer(),
      corrected: Type.Integer(),
      repeated: Type.Integer(),
      refused: Type.Integer(),
    },
    { description: 'Since the process began.' },
  ),
})
export type SourceView = Type.Static<typeof SourceView>

export const SourcesView = Type.Object({ sources: Type.Array(SourceView) })
export type SourcesView = Type.Static<typeof SourcesView>

export function createSourceRoutes(
  statuses: () => readonly SourceStatus[],
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/sources',
      {
        schema: {
          operationId: 'listSources',
          tags: ['sources'],
          summary: 'Live sources, their owners and how they are doing',
          response: { 200: SourcesView },
        },
      },
      async () => ({ sources: statuses().map(viewOf) }),
    )
  }
}

function viewOf(status: SourceStatus): SourceView {
  return {
    name: status.name,
    type: status.type,
    owner: status.owner,
    phase: status.phase,
    failures: status.failures,
    lastError: status.lastError ?? null,
    lastOddity: status.lastOddity ?? null,
    lastSuccess: timeOf(status.lastSuccessMs),
    lastItem: timeOf(status.lastItemMs),
    nextRun: timeOf(status.nextRunMs),
    silent: status.silent,
    silentAfterMs: status.silentAfterMs ?? null,
    items: { ...status.counts },
  }
}

const timeOf = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString()
