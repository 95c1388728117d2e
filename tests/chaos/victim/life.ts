/** One life: the real pipeline over an opened log and store, with faults on every way between them. */
import { EventEmitter, once } from 'node:events'
import type { Clock } from '../../../infra/clock.ts'
import type { Log } from '../../../infra/log/log.ts'
import { topics } from '../../../infra/log/log.ts'
import { silentLogger } from '../../../infra/logger.ts'
import type { Store } from '../../../infra/store/store.ts'
import { createPipeline, type Pipeline } from '../../../pipeline/pipeline.ts'
import { Gate } from '../../../pipeline/serving/gate.ts'
import type { Breakage } from '../breakage.ts'
import { faultyLog } from './faulty-log.ts'
import { faultyStore, type Held } from './faulty-store.ts'
import { cashtags, faultyAnalyst } from './judge.ts'
import type { Tripwires } from './tripwires.ts'

export interface LifeDeps {
  readonly log: Log
  readonly store: Store
  readonly logTopic: string
  readonly batchRecords: number
  readonly flushMs: number
  readonly holdBytes: number
  readonly wires: Tripwires
  readonly clock: Clock
  readonly breakage: Breakage | undefined
  hold(insert: Held): void
  onFatal(error: unknown): void
}

export interface Life {
  readonly pipeline: Pipeline
  /** Resolves when all that the log holds is committed. */
  drained(): Promise<void>
}

export function createLife(deps: LifeDeps): Life {
  const { log, wires } = deps
  const committed = new Map<number, number>()
  const commits = new EventEmitter()
  const onCommitted = (partition: number, next: number) => {
    committed.set(partition, next)
    commits.emit('commit')
  }
  const pipeline = createPipeline({
    ...deps,
    log: faultyLog({ ...deps, onCommitted }),
    store: faultyStore(deps),
    analyst: faultyAnalyst(wires),
    linker: cashtags,
    gate: new Gate(),
    limits: { maxBytes: deps.holdBytes, maxMs: 60_000 },
    labelRates: { share: 0.1, uniformShare: 0.5 },
    withinMs: { live: 60_000, history: 60_000 },
    logger: silentLogger,
  })

  async function isDrained(): Promise<boolean> {
    const ends = await log.endOffsets(topics.posts)
    return ends.every((end, partition) => end === 0 || end === committed.get(partition))
  }

  return {
    pipeline,
    async drained() {
      for (;;) {
        const commit = once(commits, 'commit')
        if (await wires.during(isDrained)) return
        await wires.during(() => commit)
      }
    },
  }
}
