/** `tickertone sources`: how live sources are doing, and what one reading of them would bring. */
import { Command } from 'commander'
import { systemClock as clock } from '../infra/clock.ts'
import type { SourceConfig } from '../infra/config-sources.ts'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import type { Post } from '../ingest/contract.ts'
import type { SourcesView, SourceView } from '../ingest/sources/routes.ts'
import { createSourceBuilder } from '../ingest/sources/sources.ts'
import { type Trial, tryOut } from '../ingest/sources/try-out.ts'
import { ask, monitorToAsk } from './api.ts'
import { liveSourcesOf } from './live-sources.ts'
import { type ConfigOptions, configFrom, withConfig, withMonitor } from './options.ts'

interface TestOptions extends ConfigOptions {
  readonly lines: string
  readonly timeout: string
  readonly json?: boolean
}

export function sourcesCommand(): Command {
  return new Command('sources')
    .description('Live sources: feeds, JSON APIs, Kafka topics, files')
    .addCommand(listCommand())
    .addCommand(testCommand())
}

function listCommand(): Command {
  return withMonitor(new Command('list'))
    .description('Sources of the configuration, and how they are doing where a monitor runs')
    .option('--json', 'print the answer as JSON')
    .action(async (options: ConfigOptions & { json?: boolean }) => {
      const config = configFrom(options)
      const running = await monitorToAsk(options, config)
      const lines =
        running === undefined
          ? config.sources.map(configuredLine)
          : (await ask<SourcesView>(`${running}/api/sources`)).sources
      if (options.json)
        return print(JSON.stringify({ running: running !== undefined, sources: lines }))
      if (lines.length === 0) return print('No sources: list them in the file that --config names.')
      for (const line of lines) print('phase' in line ? statusLine(line) : textOfConfig(line))
    })
}

function testCommand(): Command {
  return withConfig(new Command('test'))
    .description('Read sources once and show what they would bring; nothing is stored')
    .argument('[name]', 'which one; all where none is named')
    .option('-n, --lines <number>', 'posts to show of each source', '5')
    .option('--timeout <seconds>', 'how long one source may take', '60')
    .option('--json', 'print one JSON document a source, with all posts')
    .addHelpText(
      'after',
      '\nExit codes: 0 every source was read without a fault, 1 one was not, 2 wrong usage.',
    )
    .action(async (name: string | undefined, options: TestOptions) => {
      const config = configFrom(options)
      const chosen = config.sources.filter((source) => name === undefined || source.name === name)
      if (chosen.length === 0)
        throw new AppError(
          'USAGE',
          name === undefined
            ? 'No sources: list them in the file that --config names'
            : `No source is called ${JSON.stringify(name)}; there are: ${config.sources.map((source) => source.name).join(', ')}`,
        )
      const build = createSourceBuilder({ ...liveSourcesOf(config), clock })
      const limits = {
        lines: numberOf('--lines', options.lines, 0, 1_000),
        timeoutMs: 1_000 * numberOf('--timeout', options.timeout, 1, 3_600),
      }
      let faulty = false
      for (const source of chosen) {
        const trial = await tryOut(source, build(source), { clock, ...limits })
        faulty ||= trial.error !== undefined || trial.refused.length > 0
        print(options.json ? JSON.stringify(trial) : textOf(trial, limits.lines))
      }
      process.exitCode = faulty ? 1 : 0
    })
}

function textOf({ name, owner, posts, refused, oddities, error }: Trial, lines: number): string {
  const shown = posts.slice(0, lines)
  return [
    inert(`${name} (owner: ${owner}): ${posts.length} posts, ${refused.length} refused`),
    ...shown.map((post) => `  ${postLine(post)}`),
    ...(posts.length > shown.length ? [`  and ${posts.length - shown.length} more`] : []),
    ...refused
      .slice(0, lines)
      .map(({ origin, reason }) => `  ${inert(`refused: ${reason} (${origin})`)}`),
    ...oddities.map((oddity) => `  ${inert(`odd: ${oddity}`)}`),
    ...(error === undefined ? [] : [`  ${inert(`error: ${error}`)}`]),
  ].join('\n')
}

function postLine({ publishedAt, history, id, title, text }: Post): string {
  const mark = history === true ? 'history' : 'live   '
  return inert(`${publishedAt}  ${mark}  ${id}  ${title ?? text.slice(0, 120)}`)
}

type Configured = Pick<SourceConfig, 'name' | 'type' | 'owner'> & { readonly where: string }

function configuredLine(source: SourceConfig): Configured {
  const { name, type, owner } = source
  const where = 'url' in source ? source.url : 'path' in source ? source.path : source.topic
  return { name, type, owner, where }
}

const textOfConfig = ({ name, type, owner, where }: Configured): string =>
  inert(`${name.padEnd(20)} ${type.padEnd(12)} ${where} (owner: ${owner})`)

function statusLine(view: SourceView): string {
  const { items } = view
  const state = view.silent ? 'silent' : view.phase
  const parts = [
    view.name.padEnd(20),
    view.type.padEnd(12),
    state.padEnd(8),
    `last item ${view.lastItem ?? '-'}`,
    `${items.fresh} new, ${items.corrected} corrected, ${items.refused} refused`,
    `(owner: ${view.owner})`,
    view.lastError ?? '',
  ]
  return inert(parts.join('  '))
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= least && value <= most) return Math.floor(value)
  throw new AppError('USAGE', `${option} must be a number from ${least} to ${most}`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
