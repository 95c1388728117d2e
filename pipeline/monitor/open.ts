/** The monitor as the role runs it. */
import type { Registry } from 'prom-client'
import type { Logger } from '../../infra/logger.ts'
import { readLinear } from '../experts/linear.ts'
import { reportMonitor } from './metrics.ts'
import { createStreamMonitor, type StreamMonitor } from './monitor.ts'
import { RareWords } from './rare-words.ts'

/** With the rare words of the linear model that ships, and figures for Prometheus. Throws `MODEL` when the model is damaged. */
export function openStreamMonitor(deps: {
  readonly logger: Logger
  readonly registry?: Registry
}): StreamMonitor {
  const words = new RareWords(readLinear().parameters)
  const monitor = createStreamMonitor({
    logger: deps.logger,
    rareWords: (cleaned) => words.share(cleaned),
  })
  if (deps.registry !== undefined) reportMonitor(deps.registry, monitor)
  return monitor
}
