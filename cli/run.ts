/** `tickertone run ROLE`: one role of a cluster. */
import { Argument, Command } from 'commander'
import { AppError } from '../infra/errors.ts'
import { type ConfigOptions, configFrom, withExperts, withServer } from './options.ts'

const roles = ['ingest', 'pipeline', 'alerts', 'dashboards'] as const

export function runCommand(): Command {
  const command = new Command('run')
    .description('Run one role on a Kafka and ClickHouse cluster')
    .addArgument(new Argument('<role>', 'which role').choices(roles))
  return withExperts(withServer(command)).action((role: string, options: ConfigOptions) => {
    const config = configFrom(options)
    if (config.kafka.brokers.length === 0 || config.clickhouse.url === '') {
      throw new AppError(
        'USAGE',
        `run ${role} needs --kafka and --clickhouse: the embedded log and store belong to one process, which \`tickertone start\` runs with all roles`,
      )
    }
    throw new AppError(
      'UNSUPPORTED',
      `run ${role} needs the Kafka adapter of the log, which this version does not have; \`tickertone start\` runs all roles in one process`,
    )
  })
}
