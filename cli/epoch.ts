/** `tickertone epoch start TOPIC`: begins a new epoch after the log was lost or replaced on purpose. */
import { Argument, Command } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { AppError } from '../infra/errors.ts'
import { topics } from '../infra/log/log.ts'
import { findRunning } from '../infra/running.ts'
import { logTopicOf, startEpoch } from '../infra/store/epochs.ts'
import { withStore } from './local-store.ts'
import { type ConfigOptions, configFrom, withConfig } from './options.ts'

export function epochCommand(): Command {
  const start = withConfig(new Command('start'))
    .description('Read a replaced log from its start, beside the rows of the old one')
    .addArgument(new Argument('<topic>', 'which topic').choices([topics.posts]))
    .option('--clickhouse <url>', 'ClickHouse server of a cluster whose pipelines are stopped')
    .action(async (topic: string, options: ConfigOptions) => {
      const config = configFrom(options)
      const running = await findRunning(config.dataDir)
      if (running !== undefined)
        throw new AppError('DATA_FOLDER_HELD', `Stop the monitor at ${running} first`)
      const epoch = await withStore(config, (store) => startEpoch(store, topic, systemClock()))
      process.stdout.write(`The next start stores ${logTopicOf(topic, epoch)}.\n`)
    })
  return new Command('epoch').description('Epochs of the log').addCommand(start)
}
