/** Runs a process of the monitor until a signal, or until a part fails for good. */
import type { Config } from '../infra/config.ts'
import { createLifecycle } from '../infra/lifecycle.ts'
import { createLogger } from '../infra/logger.ts'
import type { ProcessDeps } from './wiring/floor.ts'

const stopTimeoutMs = 10_000
const signals = ['SIGINT', 'SIGTERM'] as const

/**
 * Prints what `start` resolves with. A signal stops all parts in order; a second one ends the process at once. A part that fails for good stops them
 * all the same, and its failure is thrown.
 */
export async function runUntilStopped(
  config: Config,
  start: (deps: ProcessDeps) => Promise<string>,
): Promise<void> {
  const { stdout } = process
  const logger = createLogger({ level: config.logLevel })
  const lifecycle = createLifecycle({ logger, stopTimeoutMs })
  try {
    await new Promise<void>((resolve, reject) => {
      onFirstSignal(resolve)
      start({ config, logger, lifecycle, stdout, onFatal: reject }).then(
        (line) => stdout.write(`${line}\n`),
        reject,
      )
    })
  } finally {
    const inTime = await lifecycle.stop()
    // What did not stop, or a mail server that does not answer, would keep the process. A failure is printed first.
    setImmediate(() => process.exit(inTime ? process.exitCode : 1))
  }
}

/** The system ends the process at the next one, whichever it is. */
function onFirstSignal(stop: () => void): void {
  const first = (): void => {
    for (const signal of signals) process.off(signal, first)
    stop()
  }
  for (const signal of signals) process.on(signal, first)
}
