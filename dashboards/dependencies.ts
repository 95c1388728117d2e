/** What the pages need from the rest of the product. */
import type { Clock } from '../infra/clock.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Store } from '../infra/store/store.ts'
import type { ReplayStatus } from './contract.ts'
import type { FindInstrument } from './instruments.ts'

export interface DashboardsDeps {
  readonly store: Store
  /** The log_topic whose analyses are live: 'posts@0'. */
  readonly logTopic: string
  /** Where it is at hand, the pages say how many records wait. */
  readonly log?: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly instrument: FindInstrument
  /** What the bundled replay plays; null without one. */
  readonly replayStatus: () => ReplayStatus | null
  /** Shown on the page, beside those of the experts. */
  readonly versions: Readonly<Record<string, string>>
}
