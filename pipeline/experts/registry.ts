/** The experts this build has, loaded and verified. */
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { Clock } from '../../infra/clock.ts'
import { type Config, workerEnvironment } from '../../infra/config.ts'
import { AppError } from '../../infra/errors.ts'
import { inert } from '../../infra/inert.ts'
import type { Logger } from '../../infra/logger.ts'
import type { MeasuredCosts } from '../allocator/costs.ts'
import type { PoolMetrics } from '../metrics.ts'
import { defaultJob, startWorkerPool } from '../workers/pool.ts'
import type { WorkerOptions } from '../workers/protocol.ts'
import type { QueueLimits } from '../workers/queue.ts'
import { forkWorker } from '../workers/worker-process.ts'
import { modelsFolder } from './artifact.ts'
import { type Circuit, type GuardedExpert, guarded } from './breaker.ts'
import { createEncoderExpert } from './encoder.ts'
import { type EncoderManifest, readEncoderManifest } from './encoder-artifact.ts'
import type { Expert } from './expert.ts'
import { createGuidanceExpert, readGuidance } from './guidance.ts'
import { createLexiconExpert, readLexicon } from './lexicon.ts'
import { createLinearExpert, readLinear } from './linear.ts'

export const minilmFolder = join(modelsFolder, 'minilm')

/** The encoders that ship, and where their artifacts are. */
export const encoderFolders = { minilm: minilmFolder } as const
export type EncoderName = keyof typeof encoderFolders

export type ExpertsConfig = Pick<Config['pipeline'], 'experts' | 'workers'>
type WorkersConfig = Config['pipeline']['workers']

export interface ExpertsDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Where the workers of encoders are counted. */
  readonly pools?: PoolMetrics
  /** Where what experts cost is measured. */
  readonly costs?: MeasuredCosts
  readonly onCircuit?: (expert: string, circuit: Circuit) => void
}

/** Of each worker: two processes of one thread read more than one process of two. */
export const workerThreads = 1

type Load = (config: ExpertsConfig, deps: ExpertsDeps) => Promise<Expert>

/** Asked in this order: encoders first, so that their workers read while the others block this thread. */
const loaders: Readonly<Record<ExpertsConfig['experts'][number], Load>> = {
  minilm: ({ workers }, deps) => loadEncoder('minilm', workers, deps),
  linear: async () => createLinearExpert(readLinear()),
  lexicon: async () => createLexiconExpert(readLexicon()),
  guidance: async () => createGuidanceExpert(readGuidance()),
}

/**
 * The experts of the config, ready to be asked, each behind a breaker. Rejects with MODEL, PROVIDER or WORKER when one cannot be loaded, after the
 * others are closed: a monitor with half its experts by accident would go unseen.
 */
export async function loadExperts(
  config: ExpertsConfig,
  deps: ExpertsDeps,
): Promise<GuardedExpert[]> {
  const wanted = Object.entries(loaders).filter(([name]) =>
    config.experts.some((expert) => expert === name),
  )
  const loading = await Promise.allSettled(
    wanted.map(async ([, load]) => served(await load(config, deps), deps)),
  )
  const loaded = loading.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
  const failed = loading.find((result) => result.status === 'rejected')
  if (failed === undefined) return loaded
  await Promise.all(loaded.map((expert) => expert.close()))
  throw failed.reason
}

export type ShadowConfig = ExpertsConfig & Pick<Config['pipeline'], 'shadow'>

/**
 * The shadow expert of the config; undefined without one. Rejects like `loadExperts`, and with CONFIG when its name is that of an expert, or of none
 * that ships where the config has no folder for it.
 */
export async function loadShadow(
  config: ShadowConfig,
  deps: ExpertsDeps,
): Promise<GuardedExpert | undefined> {
  const { expert: name, modelFolder } = config.shadow
  if (name === '' && modelFolder === '') return undefined
  if (name === '')
    throw new AppError('CONFIG', 'shadow.modelFolder needs shadow.expert: the name in its manifest')
  if (config.experts.some((expert) => expert === name))
    throw new AppError('CONFIG', `shadow.expert is ${name}, which is in pipeline.experts`)
  // Its share of the traffic is small.
  const workers = { ...config.workers, count: 1 }
  if (modelFolder !== '')
    return served(await loadEncoder(name, { ...workers, modelFolder }, deps), deps)
  const load = Object.entries(loaders).find(([shipped]) => shipped === name)?.[1]
  if (load === undefined)
    throw new AppError(
      'CONFIG',
      `shadow.expert is '${inert(name)}': name one that ships (${Object.keys(loaders).join(', ')}), or the folder of its artifact in shadow.modelFolder`,
    )
  return served(await load({ ...config, workers }, deps), deps)
}

function served(expert: Expert, { logger, costs, onCircuit }: ExpertsDeps): GuardedExpert {
  return guarded(costs?.metered(expert) ?? expert, {
    logger,
    onCircuit: (circuit) => onCircuit?.(expert.name, circuit),
  })
}

/** What the config makes of an encoder: its manifest, and what each of its workers is told. Throws `MODEL` when the artifact is not one of it. */
export function encoderOf(
  name: string,
  workers: WorkersConfig,
): { readonly manifest: EncoderManifest; readonly options: WorkerOptions } {
  const { modelFolder, provider, maxBatchTokens, minSpeedup } = workers
  const shipped = Object.entries(encoderFolders).find(([encoder]) => encoder === name)?.[1]
  const folder = modelFolder === '' && shipped !== undefined ? shipped : resolve(modelFolder)
  const manifest = readEncoderManifest(folder)
  // Weights and calibration know experts by their names.
  if (manifest.name !== name)
    throw new AppError('MODEL', `The model in ${folder} is not an artifact of ${inert(name)}.`)
  const options = { folder, provider, threads: workerThreads, maxBatchTokens, minSpeedup }
  return { manifest, options }
}

async function loadEncoder(
  name: string,
  workers: WorkersConfig,
  { clock, logger, pools }: ExpertsDeps,
): Promise<Expert> {
  const { manifest, options } = encoderOf(name, workers)
  const log = logger.child({ expert: name })
  const pool = await startWorkerPool({
    count: workerCount(workers, availableParallelism()),
    start: forkWorker({ options, environment: workerEnvironment(), logger: log }),
    queue: { texts: workers.queueTexts, bytes: workers.queueMegabytes * 2 ** 20 },
    job: jobLimits(workers),
    memoryBytes: workers.memoryMegabytes * 2 ** 20,
    clock,
    logger: log,
    onWaited: (ms) => pools?.waited(name, ms),
  })
  pools?.report(name, pool)
  return createEncoderExpert({ manifest, pool })
}

/** Workers have a lower priority than this process, so they may have all cores. One process is the default for a GPU: more are not measured. */
export function workerCount(
  { count, provider }: Pick<WorkersConfig, 'count' | 'provider'>,
  cores: number,
): number {
  if (count > 0) return count
  return provider === 'cpu' ? cores : 1
}

const shortTextTokens = 16

/** A job fills at least one batch, also with short texts: a GPU's would be a fraction of what it may hold. */
export function jobLimits({ maxBatchTokens }: Pick<WorkersConfig, 'maxBatchTokens'>): QueueLimits {
  const times = Math.max(1, maxBatchTokens / shortTextTokens / defaultJob.texts)
  return { texts: Math.ceil(defaultJob.texts * times), bytes: Math.ceil(defaultJob.bytes * times) }
}
