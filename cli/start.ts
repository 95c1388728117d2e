/** `tickertone start`: every role in one process, until it is told to stop. */
import { Command } from 'commander'
import { AppError } from '../infra/errors.ts'
import { createLifecycle } from '../infra/lifecycle.ts'
import { createLogger } from '../infra/logger.ts'
import { type ConfigOptions, configFrom, withExperts, withServer } from './options.ts'

const stopTimeoutMs = 10_000

export function startCommand(): Command {
  return withExperts(withServer(new Command('start')))
    .description('Run every role in one process')
    .option('--demo', 'replay the bundled market tweets of 2020')
    .action((options: ConfigOptions & { demo?: boolean }) => start(options))
}

/** Runs until a signal, or until a part fails for good: then it stops in order all the same and throws the failure. */
async function start(options: ConfigOptions & { demo?: boolean }): Promise<void> {
  const config = configFrom(options)
  if (config.kafka.brokers.length > 0) {
    throw new AppError(
      'UNSUPPORTED',
      '--kafka needs the Kafka adapter of the log, which this version does not have; leave it out to use the embedded log',
    )
  }
  // A refused start is over before this is loaded.
  const { startMonitor } = await import('./monitor.ts')
  const logger = createLogger({ level: config.logLevel })
  const lifecycle = createLifecycle({ logger, stopTimeoutMs })
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  try {
    await new Promise<void>((resolve, reject) => {
      void signalled.then(resolve)
      startMonitor(lifecycle, {
        config,
        logger,
        stdout: process.stdout,
        demo: options.demo ?? false,
        onFatal: reject,
      }).then((url) => process.stdout.write(`Tickertone is at ${url}\n`), reject)
    })
  } finally {
    const inTime = await lifecycle.stop()
    // What did not stop, or a mail server that does not answer, would keep the process. A failure is printed first.
    setImmediate(() => process.exit(inTime ? process.exitCode : 1))
  }
}
