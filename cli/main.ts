#!/usr/bin/env node
/** The command line. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration. */
import { Command, CommanderError } from 'commander'
import { AppError, describeError } from '../infra/errors.ts'
import { allocationCommand } from './allocation.ts'
import { doctorCommand } from './doctor.ts'
import { epochCommand } from './epoch.ts'
import { evaluateCommand } from './evaluate.ts'
import { explainCommand } from './explain.ts'
import { feedbackCommand } from './feedback.ts'
import { fitCommand } from './fit.ts'
import { labelsCommand } from './labels.ts'
import { promoteCommand } from './promote.ts'
import { replayCommand } from './replay.ts'
import { rollbackCommand } from './rollback.ts'
import { runCommand } from './run.ts'
import { shadowCommand } from './shadow.ts'
import { sqlCommand } from './sql.ts'
import { startCommand } from './start.ts'
import { tailCommand } from './tail.ts'
import { version } from './version.ts'

const program = new Command('tickertone')
  .description('Streaming financial sentiment monitor')
  .version(version)
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.')

for (const command of [
  startCommand(),
  runCommand(),
  replayCommand(),
  tailCommand(),
  sqlCommand(),
  explainCommand(),
  allocationCommand(),
  feedbackCommand(),
  labelsCommand(),
  evaluateCommand(),
  fitCommand(),
  doctorCommand(),
  epochCommand(),
  shadowCommand(),
  promoteCommand(),
  rollbackCommand(),
]) {
  program.addCommand(command)
}
for (const command of withSubcommands(program)) command.exitOverride().showHelpAfterError()

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

/** What went wrong, for a person: one clear text on standard error and the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof AppError) {
    process.stderr.write(`tickertone: ${error.message} (${error.code})\n`)
    return error.code === 'USAGE' || error.code === 'CONFIG' ? 2 : 1
  }
  const stack = error instanceof Error ? error.stack : undefined
  process.stderr.write(`tickertone: unexpected failure: ${stack ?? describeError(error)}\n`)
  return 1
}

// Who reads our output may leave early (`tickertone sql ... | head`): the work goes on to its orderly end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = explain(error)
}
