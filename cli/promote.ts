/** `tickertone promote NAME`: re-scores the baseline window by a shadow, then lets it vote. */
import { Command } from 'commander'
import { type ChangeFlags, change, withChange } from './serving-change.ts'

interface PromoteFlags extends ChangeFlags {
  readonly replaces: string
  readonly force: boolean
}

export function promoteCommand(): Command {
  return withChange(new Command('promote'))
    .description('Let a shadow vote: the past is re-scored first, and alerts switch over with it')
    .argument('<expert>', 'name of the shadow')
    .option(
      '--replaces <expert>',
      'whose place and weight it takes; without it it votes beside the others',
      '',
    )
    .option('--force', 'with fewer labels than it takes, which is recorded', false)
    .action((expert: string, flags: PromoteFlags) =>
      change(flags, `/api/experts/${encodeURIComponent(expert)}/promote`, {
        replaces: flags.replaces,
        force: flags.force,
      }),
    )
}
