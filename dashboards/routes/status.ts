/** How the monitor itself is doing. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { createTail } from '../../infra/store/tail.ts'
import { cached } from '../cached.ts'
import { ApiError, Status } from '../contract.ts'
import type { DashboardsDeps } from '../dependencies.ts'
import { countOpenLetters } from '../queries/dead-letters.ts'
import { readExpertVersions } from '../queries/expert-versions.ts'
import { readRates } from '../queries/rates.ts'

/** Experts change with a start of a process. */
const versionsMaxAgeMs = 10_000

export function statusRoutes(server: FastifyInstance, deps: DashboardsDeps): void {
  const { store, clock, versions, replayStatus, logTopic } = deps
  const expertVersions = cached({ maxAgeMs: versionsMaxAgeMs, clock }, () =>
    readExpertVersions(store, logTopic),
  )
  const status = cached({ maxAgeMs: 500, clock }, async (): Promise<Status> => {
    const now = clock()
    return {
      now: new Date(now).toISOString(),
      replay: replayStatus(),
      waiting: await countWaiting(deps),
      ...(await readRates(store, now)),
      deadLetters: await countOpenLetters(store),
      versions: { ...versions, ...(await expertVersions(undefined)) },
    }
  })

  server.withTypeProvider<TypeBoxTypeProvider>().get(
    '/api/status',
    {
      schema: {
        summary: 'Replay, lag, rates, dead letters and versions',
        response: { 200: Status, default: ApiError },
      },
    },
    () => status(undefined),
  )
}

async function countWaiting({ store, log, logTopic }: DashboardsDeps): Promise<number | null> {
  if (log === undefined) return null
  const stored = await createTail(store, logTopic).end()
  const ends = await log.endOffsets(logTopic.slice(0, logTopic.lastIndexOf('@')))
  return ends.reduce(
    (total, end, partition) => total + Math.max(0, end - (stored[partition] ?? 0)),
    0,
  )
}
