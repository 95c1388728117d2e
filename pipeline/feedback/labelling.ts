/** Labels as one part of the role pipeline: the service, the queue, the table that follows the topic, and their routes. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Clock } from '../../infra/clock.ts'
import type { Log } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import type { Expert } from '../experts/expert.ts'
import { feedbackRoutes } from '../routes/feedback.ts'
import { labelRoutes } from '../routes/labels.ts'
import { createLabelsTable } from './labels-table.ts'
import { NewestLabels } from './newest-labels.ts'
import { createLabelQueue } from './queue.ts'
import { createFeedback, type Feedback } from './service.ts'
import { createStatsKeeper } from './stats-keeper.ts'

export interface Labelling {
  /** `/api/feedback` and `/api/labels`. */
  readonly plugin: FastifyPluginAsyncTypebox
  readonly feedback: Feedback
  /** The topic `feedback` must exist. Idempotent. */
  start(): Promise<void>
  /** Resolves when what is being taken is durable and the batch in hand is stored; experts, log and store stay open. Idempotent. */
  stop(): Promise<void>
}

export interface LabellingDeps {
  readonly log: Log
  readonly store: Store
  /** All that are loaded, shadows too. */
  readonly experts: readonly Expert[]
  /** Whether the expert of this name is only listened to at the moment. */
  readonly isShadow: (expert: string) => boolean
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  readonly clock: Clock
  readonly logger: Logger
  /** How long a label waits for its post to be scored; 2 s unless told. */
  readonly patienceMs?: number
}

export function createLabelling(deps: LabellingDeps): Labelling {
  const newest = new NewestLabels(deps.store)
  const feedback = createFeedback({ ...deps, newest })
  const queue = createLabelQueue({ ...deps, newest })
  const stats = createStatsKeeper(deps)
  const table = createLabelsTable({ ...deps, onStored: (offset) => newest.stored(offset) })
  return {
    feedback,
    plugin: async (app) => {
      await app.register(feedbackRoutes(feedback))
      await app.register(labelRoutes({ feedback, queue, stats }))
    },
    start: () => table.start(),
    async stop() {
      await feedback.stop()
      await table.stop()
    },
  }
}
