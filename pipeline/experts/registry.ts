/** The experts this build has, loaded and verified. */
import type { Clock } from '../../infra/clock.ts'
import type { Config } from '../../infra/config.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Expert } from './expert.ts'
import { createLexiconExpert, readLexicon } from './lexicon.ts'
import { createLinearExpert, readLinear } from './linear.ts'

export type ExpertsConfig = Pick<Config['pipeline'], 'experts' | 'workers'>

export interface ExpertsDeps {
  readonly clock: Clock
  readonly logger: Logger
}

type Load = (config: ExpertsConfig, deps: ExpertsDeps) => Promise<Expert>

/** Whose work is done elsewhere comes first: it runs while those that work in this thread block it. */
const loaders: Readonly<Partial<Record<ExpertsConfig['experts'][number], Load>>> = {
  linear: async () => createLinearExpert(readLinear()),
  lexicon: async () => createLexiconExpert(readLexicon()),
}

/**
 * The experts of the config, ready to be asked. Rejects with MODEL, PROVIDER or WORKER when one cannot be loaded, after the others are closed:
 * a monitor with half its experts by accident would go unseen.
 */
export async function loadExperts(config: ExpertsConfig, deps: ExpertsDeps): Promise<Expert[]> {
  const wanted = Object.entries(loaders).filter(([name]) =>
    config.experts.some((expert) => expert === name),
  )
  const loading = await Promise.allSettled(wanted.map(([, load]) => load(config, deps)))
  const loaded = loading.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
  const failed = loading.find((result) => result.status === 'rejected')
  if (failed === undefined) return loaded
  await Promise.all(loaded.map((expert) => expert.close()))
  throw failed.reason
}
