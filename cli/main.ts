#!/usr/bin/env node
/** The command line. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration. */
import { Command, CommanderError } from 'commander'
import { AppError, describeError } from '../infra/errors.ts'
import { version } from './version.ts'

const program = new Command('tickertone')
  .description('Streaming financial sentiment monitor')
  .version(version)
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.')

/** A command loads what it needs when it is called: everything together takes a second. */
const commands = new Map<string, () => Promise<Command>>([
  ['start', async () => (await import('./start.ts')).startCommand()],
  ['run', async () => (await import('./run.ts')).runCommand()],
  ['replay', async () => (await import('./replay.ts')).replayCommand()],
  ['tail', async () => (await import('./tail.ts')).tailCommand()],
  ['sql', async () => (await import('./sql.ts')).sqlCommand()],
  ['explain', async () => (await import('./explain.ts')).explainCommand()],
  ['allocation', async () => (await import('./allocation.ts')).allocationCommand()],
  ['feedback', async () => (await import('./feedback.ts')).feedbackCommand()],
  ['labels', async () => (await import('./labels.ts')).labelsCommand()],
  ['deadletters', async () => (await import('./deadletters.ts')).deadLettersCommand()],
  ['forget', async () => (await import('./forget.ts')).forgetCommand()],
  ['sources', async () => (await import('./sources.ts')).sourcesCommand()],
  ['evaluate', async () => (await import('./evaluate.ts')).evaluateCommand()],
  ['fit', async () => (await import('./fit.ts')).fitCommand()],
  ['doctor', async () => (await import('./doctor.ts')).doctorCommand()],
  ['epoch', async () => (await import('./epoch.ts')).epochCommand()],
  ['shadow', async () => (await import('./shadow.ts')).shadowCommand()],
  ['promote', async () => (await import('./promote.ts')).promoteCommand()],
  ['rollback', async () => (await import('./rollback.ts')).rollbackCommand()],
])
const called = commands.get(process.argv[2] ?? '')
// Without a name among them, the answer is about all of them: help, or what was meant.
for (const load of called === undefined ? commands.values() : [called])
  program.addCommand(await load())
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
