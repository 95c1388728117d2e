/** `tickertone start`: every role in one process, until it is told to stop. */
import { Command } from 'commander'
import { type ConfigOptions, configFrom, withExperts, withServer } from './options.ts'
import { runUntilStopped } from './until-stopped.ts'

export function startCommand(): Command {
  return withExperts(withServer(new Command('start')))
    .description('Run every role in one process')
    .option('--demo', 'replay the bundled market tweets of 2020')
    .action((options: ConfigOptions & { demo?: boolean }) => start(options))
}

async function start(options: ConfigOptions & { demo?: boolean }): Promise<void> {
  const config = configFrom(options)
  // A refused start is over before this is loaded.
  const { startMonitor } = await import('./monitor.ts')
  await runUntilStopped(config, async (deps) => {
    const url = await startMonitor(deps, { demo: options.demo ?? false })
    return `Tickertone is at ${url}`
  })
}
