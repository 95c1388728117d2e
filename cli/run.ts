/** `tickertone run ROLE`: one role of a cluster, until it is told to stop. */
import { Argument, Command } from 'commander'
import { AppError } from '../infra/errors.ts'
import { type ConfigOptions, configFrom, withExperts, withServer } from './options.ts'
import { type RoleName, roleNames } from './role-names.ts'
import { runUntilStopped } from './until-stopped.ts'

export function runCommand(): Command {
  const command = new Command('run')
    .description('Run one role on a Kafka and ClickHouse cluster')
    .addArgument(new Argument('<role>', 'which role').choices(roleNames))
  return withExperts(withServer(command)).action(run)
}

async function run(role: RoleName, options: ConfigOptions): Promise<void> {
  const config = configFrom(options)
  if (config.kafka.brokers.length === 0 || config.clickhouse.url === '') {
    throw new AppError(
      'USAGE',
      `run ${role} needs --kafka and --clickhouse: the embedded log and store belong to one process, which \`tickertone start\` runs with all roles`,
    )
  }
  const { startRole } = await import('./cluster-role.ts')
  await runUntilStopped(
    config,
    async (deps) => `Tickertone's role ${role} is at ${await startRole(deps, role)}`,
  )
}
