/** `tickertone replay FILE`: plays a file of posts into a running monitor. */
import { basename, extname } from 'node:path'
import { Presets, SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { parseInstant } from '../ingest/contract.ts'
import { type Refused, type ReplaySummary, replay } from '../ingest/replay.ts'
import { readPostFile } from '../ingest/replay-file.ts'
import type { Speed } from '../ingest/schedule.ts'
import { createPushSink } from '../ingest/sinks.ts'
import { sizeOf } from './input-file.ts'

interface ReplayFlags {
  readonly url: URL
  readonly speed: Speed
  readonly rebase?: boolean
  readonly source?: string
  readonly idPrefix?: string
  readonly from?: number
  readonly to?: number
  readonly json?: boolean
}

/** Refused rows that are named; the others are counted. */
const maxListed = 20
const interruptedExitCode = 130

export function replayCommand(): Command {
  return new Command('replay')
    .description('Play an NDJSON file of posts into a running monitor')
    .argument('<file>', 'one post a line, in time order')
    .option('--url <url>', 'address of the monitor', parseUrl, new URL('http://127.0.0.1:8080'))
    .option(
      '--speed <factor>',
      '1: as it was, 60: an hour in a minute, full: no waiting',
      parseSpeed,
      1,
    )
    .option(
      '--rebase',
      'publish each post at the time it is sent; originalPublishedAt keeps its own',
    )
    .option('--source <name>', 'source of rows that name none (default: the name of the file)')
    .option(
      '--id-prefix <text>',
      'put before every id, so that a file played again is not all duplicates',
    )
    .option('--from <time>', 'first publishedAt to play, such as 2020-06-26T00:00:00Z', parseTime)
    .option('--to <time>', 'publishedAt to stop before', parseTime)
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 every row accepted, 1 some refused or the monitor does not take them, 2 wrong usage, 130 interrupted.',
    )
    .action(async (file: string, flags: ReplayFlags) => {
      process.exitCode = await play(file, flags)
    })
}

async function play(file: string, flags: ReplayFlags): Promise<number> {
  const size = await sizeOf(file)
  const refusals: Refused[] = []
  const bar = new SingleBar(
    { format: '{bar} {percentage}% | {sourceTime} | {accepted} accepted, {refused} refused' },
    Presets.shades_classic,
  )
  const { signal, release } = abortOnInterrupt()
  const startMs = systemClock()
  bar.start(size, 0, { sourceTime: '', accepted: 0, refused: 0 })
  let summary: ReplaySummary
  try {
    summary = await replay({
      rows: readPostFile(file, {
        source: flags.source ?? basename(file, extname(file)),
        idPrefix: flags.idPrefix,
      }),
      sink: createPushSink({ url: flags.url }),
      plan: {
        speed: flags.speed,
        startMs,
        fromMs: flags.from,
        toMs: flags.to,
        times: flags.rebase ? 'rebase' : 'keep',
      },
      clock: systemClock,
      signal,
      onProgress: ({ bytes, ...shown }) => bar.update(bytes, shown),
      onRefused: (refused) => {
        if (refusals.length < maxListed) refusals.push(refused)
      },
    })
    if (!summary.interrupted) bar.update(size)
  } finally {
    bar.stop()
    release()
  }
  const seconds = (systemClock() - startMs) / 1_000
  report(file, summary, refusals, seconds, flags.json === true)
  if (summary.interrupted) return interruptedExitCode
  return summary.refused > 0 ? 1 : 0
}

/** The first Ctrl-C ends the replay after the batch in hand; a second one ends the process as usual. */
function abortOnInterrupt(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const abort = () => controller.abort()
  process.once('SIGINT', abort)
  return { signal: controller.signal, release: () => process.off('SIGINT', abort) }
}

function report(
  file: string,
  summary: ReplaySummary,
  refusals: readonly Refused[],
  seconds: number,
  asJson: boolean,
): void {
  const { accepted, refused, skipped, interrupted } = summary
  if (asJson) {
    const result = { file, accepted, refused, skipped, interrupted, seconds, refusals }
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  for (const { line, reason } of refusals)
    process.stderr.write(`${file}:${line}: ${reason.replace(/\p{Cc}+/gu, ' ')}\n`)
  if (refused > refusals.length)
    process.stderr.write(`and ${refused - refusals.length} more refused rows\n`)
  const outside = skipped > 0 ? `, ${skipped} outside the chosen time` : ''
  const end = interrupted ? 'interrupted' : 'done'
  process.stdout.write(
    `${end} in ${seconds.toFixed(1)} s: ${accepted} accepted, ${refused} refused${outside}\n`,
  )
}

function parseSpeed(text: string): Speed {
  if (text === 'full') return text
  const factor = Number(text)
  if (factor > 0 && Number.isFinite(factor)) return factor
  throw new InvalidArgumentError('It must be a number above 0, or full.')
}

function parseTime(text: string): number {
  const ms = parseInstant(text)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError('It must be a time with a zone, such as 2020-06-26T00:00:00Z.')
}

function parseUrl(text: string): URL {
  if (URL.canParse(text)) {
    const url = new URL(text)
    if (/^https?:$/.test(url.protocol)) return url
  }
  throw new InvalidArgumentError('It must be an http address, such as http://127.0.0.1:8080.')
}
