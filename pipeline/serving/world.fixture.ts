/** A pipeline with its log, store and promotions, around experts that say what they are told to say. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { EmbeddedLog } from '../../infra/log/embedded-log.ts'
import { topics } from '../../infra/log/log.ts'
import { silentLogger as logger } from '../../infra/logger.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Store } from '../../infra/store/store.ts'
import { type Analyst, createAnalyst } from '../allocator/analyst.ts'
import { createCalibration } from '../allocator/calibration.ts'
import { createStaticAllocator } from '../allocator/static.ts'
import type { ExpertSet } from '../contract.ts'
import { createLinker } from '../entities/link.ts'
import type { Expert } from '../experts/expert.ts'
import { createPipeline, type Pipeline } from '../pipeline.ts'
import { Gate } from './gate.ts'
import { createLiveAnalyst } from './live-analyst.ts'
import { createPromotions, type Promotions } from './promotions.ts'
import { createServing, type Serving } from './serving.ts'
import { standIn, standInCalibration, standInWeights } from './stand-in.ts'

export const logTopic = 'posts@0'
export const partitions = 2

/** Says the same P(negative) of every text. */
export function steady(name: string, negative: number): Expert {
  const sentiment = [negative, 0.9 - negative, 0.1]
  return {
    name,
    version: '1',
    tasks: ['sentiment'],
    classify: async (batch) => batch.map(() => ({ sentiment })),
    close: async () => {},
  }
}

/** `calm` votes, `dark` and `bleak` are loaded beside it; all but `bleak` have a weight. */
export const experts: readonly Expert[] = [
  steady('calm', 0.2),
  steady('dark', 0.4),
  steady('bleak', 0.6),
]
const weights = { calm: 1, dark: 1 }
const byKind = { news: weights, comment: weights }
const configured = { experts: ['calm'], weights: byKind }
const withinMs = { live: 10_000, history: 10_000 }

function analystFor(set: ExpertSet): Analyst {
  const allocator = createStaticAllocator({ weights: byKind, experts: [{ name: 'calm' }] })
  return createAnalyst({
    experts,
    allocator: standIn(allocator, set, configured),
    calibration: standInCalibration(createCalibration([]), set),
    referenceWeights: standInWeights(byKind, set),
    onExpertFailure: () => {},
  })
}

export interface Instance {
  readonly serving: Serving
  readonly promotions: Promotions
  stop(): Promise<void>
}

/** One instance's part in promotions: several may run on one log and store. */
export async function promotionsOn({
  log,
  store,
  clock,
  gate = new Gate(),
  rowsAtOnce = 2_000,
  held,
}: Pick<World, 'log' | 'store' | 'clock'> & {
  readonly gate?: Gate
  readonly rowsAtOnce?: number
  readonly held?: () => AbortSignal
}): Promise<Instance> {
  const serving = createServing({ log, store, logger, configured: configured.experts })
  await serving.start()
  const promotions = createPromotions({
    serving,
    store,
    log,
    logTopic,
    experts,
    hasWeight: (name) => name in weights,
    analystFor,
    gate,
    withinMs: withinMs.history,
    clock,
    logger,
    rowsAtOnce,
    ...(held !== undefined && { held }),
  })
  return {
    serving,
    promotions,
    async stop() {
      await promotions.stop()
      await serving.stop()
    },
  }
}

export interface World {
  readonly folder: string
  readonly log: EmbeddedLog
  readonly store: Store
  readonly serving: Serving
  readonly promotions: Promotions
  readonly pipeline: Pipeline
  readonly clock: () => number
  /** Appends posts, one text each, and resolves when their rows are stored. */
  push(posts: number): Promise<void>
  /** By partition and offset: the mean P(negative) that the views show, rounded to 3 digits. */
  shown(): Promise<
    readonly { partition: number; offset: number; revision: number; negative: number }[]
  >
  stop(): Promise<void>
}

export interface WorldOptions {
  /** Kept by whoever made it. */
  readonly folder: string
  readonly clock?: () => number
  readonly rowsAtOnce?: number
  storeThrough?(store: Store): Store
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'tickertone-serving-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export async function startWorld({
  folder,
  clock = Date.now,
  rowsAtOnce = 2_000,
  storeThrough = (store) => store,
}: WorldOptions): Promise<World> {
  const backoff = { firstMs: 5, maxMs: 20 }
  const log = createEmbeddedLog({ path: join(folder, 'log'), clock, logger, backoff })
  await log.ensureTopics([
    { name: topics.posts, partitions },
    { name: topics.dead, partitions: 1 },
    { name: topics.control, partitions: 1 },
  ])
  const store = storeThrough(await openEmbeddedStore({ path: join(folder, 'store') }))
  const gate = new Gate()
  const { serving, promotions } = await promotionsOn({ log, store, clock, gate, rowsAtOnce })
  const pipeline = createPipeline({
    log,
    store,
    logTopic,
    logger,
    clock,
    gate,
    withinMs,
    labelRates: { share: 0, uniformShare: 0 },
    flushMs: 1,
    limits: { maxBytes: 1e9, maxMs: 1e9 },
    linker: createLinker(),
    analyst: createLiveAnalyst({ serving, analystFor }),
    onFatal: (error) => {
      throw error
    },
  })
  await pipeline.start()
  let pushed = 0
  return {
    folder,
    log,
    store,
    serving,
    promotions,
    pipeline,
    clock,
    async push(posts) {
      const records = Array.from({ length: posts }, (_, i) => ({
        key: null,
        value: JSON.stringify({
          id: `post-${clock()}-${pushed + i}`,
          source: 'test',
          kind: 'news',
          text: `$FB reports number ${pushed + i} of the day`,
          publishedAt: new Date(clock()).toISOString(),
        }),
      }))
      pushed += posts
      const positions = await log.append(topics.posts, records)
      for (const { partition, offset } of positions) await stored(store, partition, offset)
    },
    shown: () =>
      store.query(
        'SELECT partition, offset, revision, round(negative, 3) AS negative FROM served_v WHERE ordinal = 0 ORDER BY partition, offset',
      ),
    async stop() {
      await promotions.stop()
      await pipeline.stop()
      await serving.stop()
      await log.close()
      await store.close()
    },
  }
}

async function stored(store: Store, partition: number, offset: number): Promise<void> {
  while ((await store.mark({ logTopic, partition })) < offset);
}
