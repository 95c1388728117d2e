/** `tickertone forget`: empties what a post, or an author's posts, said. Through the monitor where one runs, else in its folder. */
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { eraseAlertTexts } from '../alerts/erase-texts.ts'
import { systemClock as clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import { topics } from '../infra/log/log.ts'
import { createLogger } from '../infra/logger.ts'
import { currentEpoch, logTopicOf } from '../infra/store/epochs.ts'
import { createErasures, type ErasureRequest } from '../pipeline/erasure/erasures.ts'
import type { ErasureView } from '../pipeline/erasure/table.ts'
import { ask, monitorToAsk } from './api.ts'
import { logFolder, withStore } from './local-store.ts'
import { type ConfigOptions, configFrom, withMonitor } from './options.ts'

interface Flags extends ConfigOptions {
  readonly post?: string
  readonly author?: string
  readonly source?: string
  readonly by: string
  readonly note: string
  readonly yes?: boolean
  readonly json?: boolean
}

export function forgetCommand(): Command {
  return withMonitor(new Command('forget'))
    .description('Empty text, title, author and url of a post, or of all posts of an author')
    .option('--post <id>', 'the post of this id, in every version')
    .option('--author <name>', 'the posts of this author, named exactly as the source does')
    .option('--source <name>', 'only those of this source')
    .option('--by <name>', 'who has it forgotten; kept', 'anonymous')
    .option('--note <words>', 'why; kept, so name nobody here', '')
    .option('--yes', 'do it; without it, what would be emptied is only counted')
    .option('--json', 'print one JSON document')
    .action(async (flags: Flags) => {
      const request = requestOf(flags)
      const config = configFrom(flags)
      const monitor = await monitorToAsk(flags, config)
      const isDry = flags.yes !== true
      const view =
        monitor === undefined
          ? await forgetInFolder(config, request, isDry)
          : await forgetThrough(monitor, request, isDry)
      process.stdout.write(`${flags.json ? JSON.stringify(view) : words(view)}\n`)
      if (view.state === 'begun') throw new AppError('ERASURE', view.message)
    })
}

function requestOf({ post, author, source = '', by, note }: Flags): ErasureRequest {
  if ((post === undefined) === (author === undefined) || post === '' || author === '')
    throw new AppError('USAGE', 'Name a post with --post, or an author with --author')
  return {
    named: post === undefined ? { author: author ?? '' } : { postId: post },
    source,
    by,
    note,
  }
}

function forgetThrough(
  monitor: string,
  { named, source, by, note }: ErasureRequest,
  isDry: boolean,
): Promise<ErasureView> {
  const who = 'postId' in named ? { post_id: named.postId } : named
  return ask<ErasureView>(`${monitor}/api/erasures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...who, source, by, note, dry_run: isDry }),
  })
}

/** Nothing is stored meanwhile: what the log still holds is emptied there. */
async function forgetInFolder(
  config: Config,
  request: ErasureRequest,
  isDry: boolean,
): Promise<ErasureView> {
  if (config.kafka.brokers.length > 0 || !existsSync(logFolder(config)))
    throw new AppError(
      'NOT_RUNNING',
      `No monitor serves ${config.dataDir}, and it holds no log: name its folder with --data-dir, or the address of a cluster's dashboards with --url`,
    )
  return withStore(config, async (store) => {
    const logger = createLogger({ level: config.logLevel })
    const log = createEmbeddedLog({ path: logFolder(config), clock, logger })
    try {
      const erasures = createErasures({
        log,
        store,
        logTopic: logTopicOf(topics.posts, await currentEpoch(store, topics.posts)),
        isConsumed: false,
        clock,
        logger,
        eraseAlerts: (isErased) => eraseAlertTexts(store, isErased),
      })
      return isDry ? await erasures.dryRun(request) : await erasures.erase(request)
    } finally {
      await log.close()
    }
  })
}

function words(view: ErasureView): string {
  const { state, rows, rescored_rows, alerts, records, letters, kept_records, message } = view
  const counts = [
    `${rows} rows of analyses`,
    `${rescored_rows} of rescored`,
    ...(state === 'dry run' ? [] : [`${alerts} alert events and snapshots`]),
    `${records} records of the log`,
    `${letters} dead letters`,
    ...(kept_records === 0 ? [] : [`${kept_records} kept by Kafka`]),
  ].join(', ')
  const lines = {
    'dry run': `Would empty ${counts}. --yes does it; posts that come later are not touched.`,
    begun: `Emptied so far: ${counts}.`,
    done: `Emptied ${counts}. Posts that come later are not touched.`,
  }
  return inert([lines[state], state === 'begun' ? '' : message].join(' '))
}
