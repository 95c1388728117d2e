/** What `promote` and `rollback` share: ask the running monitor, then tell how it goes until it is over. */
import { userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import type { ServingStatus } from '../pipeline/routes/experts.ts'
import { ask, runningMonitor } from './api.ts'
import { type ConfigOptions, configFrom, withMonitor } from './options.ts'

export interface ChangeFlags extends ConfigOptions {
  readonly by: string
  readonly note: string
  readonly days: string
}

const pollMs = 500

export function withChange(command: Command): Command {
  return withMonitor(command)
    .option('--by <name>', 'who does it', userInfo().username)
    .option('--note <text>', 'why', '')
    .option('--days <number>', 'baseline window before now', '28')
    .addHelpText(
      'after',
      '\nThe monitor does it: when this command is interrupted it goes on. When the monitor is, the same command goes on where it stopped.',
    )
}

/** Resolves when the change is in force. Throws PROMOTION when it failed. */
export async function change(flags: ChangeFlags, path: string, body: object): Promise<void> {
  const days = Number(flags.days)
  if (!Number.isInteger(days)) throw new AppError('USAGE', '--days must be a whole number')
  const monitor = await runningMonitor(configFrom(flags))
  await ask(`${monitor}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, by: flags.by, note: flags.note, days }),
  })
  process.stdout.write(`${await followed(monitor)}\n`)
}

async function followed(monitor: string): Promise<string> {
  let told = ''
  while (true) {
    const status = await ask<ServingStatus>(`${monitor}/api/experts/serving`)
    const { change: progress, experts } = status
    if (progress === null)
      throw new AppError('PROMOTION', 'The monitor was started anew: run the command again')
    if (progress.state === 'failed') throw new AppError('PROMOTION', inert(progress.error))
    if (progress.state === 'done') return inert(`Now vote: ${experts.join(', ')}`)
    const line = `${progress.state}: ${progress.total - progress.left} of ${progress.total} offsets`
    if (line !== told) process.stderr.write(`${line}\n`)
    told = line
    await sleep(pollMs)
  }
}
