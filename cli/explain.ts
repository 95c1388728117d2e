/** `tickertone explain`: how a post's numbers came about, through the running monitor or from the store itself. */
import { Command, InvalidArgumentError } from 'commander'
import { inert } from '../infra/inert.ts'
import { type Explanation, explain } from '../pipeline/allocator/explain.ts'
import { findJudgedRow } from '../pipeline/allocator/find-row.ts'
import { servedStacking } from '../pipeline/allocator/served-fusion.ts'
import { askIfThere, monitorToAsk } from './api.ts'
import { explanationText } from './explanation-text.ts'
import { withStore } from './local-store.ts'
import { type ConfigOptions, configFrom, withMonitorOrStore } from './options.ts'

interface ExplainOptions extends ConfigOptions {
  readonly json?: boolean
  /** Of the post; `version` is the program's own option. */
  readonly postVersion?: number
}

export function explainCommand(): Command {
  return withMonitorOrStore(new Command('explain'))
    .description('Print how the numbers of a post came about, and repeat the arithmetic')
    .argument('<post-id>', 'id of the post')
    .option('--post-version <number>', 'version of the post; the newest unless told', versionFrom)
    .option('--json', 'print one JSON document')
    .action(async (postId: string, options: ExplainOptions) => {
      const found = await explanationOf(options, postId)
      if (found === undefined) {
        const which = options.postVersion === undefined ? '' : `version ${options.postVersion} of `
        process.stderr.write(`tickertone: no ${which}post '${inert(postId)}' is stored\n`)
        process.exitCode = 1
        return
      }
      process.stdout.write(options.json ? `${JSON.stringify(found)}\n` : explanationText(found))
    })
}

function versionFrom(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A version is a whole number.')
  return Number(text)
}

async function explanationOf(
  options: ExplainOptions,
  postId: string,
): Promise<Explanation | undefined> {
  const config = configFrom(options)
  const version = options.postVersion
  const running = await monitorToAsk(options, config)
  if (running !== undefined) {
    const query = version === undefined ? '' : `?version=${version}`
    return askIfThere(`${running}/api/explain/${encodeURIComponent(postId)}${query}`)
  }
  return withStore(config, async (store) => {
    const row = await findJudgedRow(store, postId, version)
    return row && explain(row, servedStacking(config.pipeline.allocator))
  })
}
