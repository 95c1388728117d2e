/** What every role stands on: log, store, metrics, health. One process has one. */
import type { Writable } from 'node:stream'
import { Registry } from 'prom-client'
import { type Clock, systemClock } from '../../infra/clock.ts'
import type { Config } from '../../infra/config.ts'
import type { Lifecycle } from '../../infra/lifecycle.ts'
import { topics } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import { currentEpoch, logTopicOf } from '../../infra/store/epochs.ts'
import type { Store } from '../../infra/store/store.ts'
import { createTail, type Tail } from '../../infra/store/tail.ts'
import { createLinker } from '../../pipeline/entities/link.ts'
import type { Linker } from '../../pipeline/entities/mention.ts'
import { createHealth, type Health } from '../health.ts'
import { openStore } from '../local-store.ts'
import { type OpenedLog, openLog } from './open-log.ts'

export interface ProcessDeps {
  readonly config: Config
  readonly logger: Logger
  readonly lifecycle: Lifecycle
  /** Where alerts and the address are printed. */
  readonly stdout: Writable
  /** Something failed that ends the work of this process. */
  onFatal(error: unknown): void
}

export interface Floor extends ProcessDeps {
  readonly store: Store
  readonly log: OpenedLog
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  readonly tail: Tail
  readonly clock: Clock
  readonly registry: Registry
  readonly health: Health
  /** Reads the gazetteers at its first call. */
  linker(): Linker
}

/** Opens store and log; the lifecycle closes them. */
export async function openFloor(deps: ProcessDeps): Promise<Floor> {
  const { config, logger, lifecycle } = deps
  const registry = new Registry()
  const health = createHealth()
  const store = await lifecycle.start(
    'store',
    () => openStore(config),
    (store) => store.close(),
  )
  const log = await openLog({ ...deps, registry, health })
  const logTopic = logTopicOf(topics.posts, await currentEpoch(store, topics.posts))
  let linker: Linker | undefined
  return {
    ...deps,
    store,
    log,
    logTopic,
    tail: createTail(store, logTopic),
    clock: systemClock,
    logger,
    registry,
    health,
    linker() {
      linker ??= createLinker(overridesOf(config))
      return linker
    },
  }
}

function overridesOf({ pipeline: { overridesFile } }: Config): { readonly overridesFile?: string } {
  return overridesFile === '' ? {} : { overridesFile }
}
