/** `tickertone rollback`: takes the newest promotion back. */
import { Command } from 'commander'
import { type ChangeFlags, change, withChange } from './serving-change.ts'

export function rollbackCommand(): Command {
  return withChange(new Command('rollback'))
    .description(
      'Take the newest promotion back: what came since is re-scored by those who voted before it',
    )
    .action((flags: ChangeFlags) => change(flags, '/api/experts/rollback', {}))
}
