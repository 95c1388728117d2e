/** `tickertone tail`: the newest analyses, and with --follow each new one as it comes. */
import { Command } from 'commander'
import { createParser } from 'eventsource-parser'
import type { Feed, FeedPost } from '../dashboards/contract.ts'
import { readFeed } from '../dashboards/queries/feed.ts'
import type { Config } from '../infra/config.ts'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import { topics } from '../infra/log/log.ts'
import { currentEpoch, logTopicOf } from '../infra/store/epochs.ts'
import { createLinker } from '../pipeline/entities/link.ts'
import { ask, monitorToAsk } from './api.ts'
import { withStore } from './local-store.ts'
import { type ConfigOptions, configFrom, withMonitorOrStore } from './options.ts'

interface TailOptions extends ConfigOptions {
  readonly lines: string
  readonly follow?: boolean
  readonly json?: boolean
}

const maxLines = 200

export function tailCommand(): Command {
  return withMonitorOrStore(new Command('tail'))
    .description('Show the newest analyses')
    .option('-n, --lines <number>', `how many, at most ${maxLines}`, '10')
    .option('-f, --follow', 'go on with new ones as they come (needs a running monitor)')
    .option('--json', 'print one JSON document a post')
    .action(async (options: TailOptions) => {
      const limit = linesOf(options)
      const config = configFrom(options)
      const print = (post: FeedPost) =>
        process.stdout.write(options.json ? `${JSON.stringify(post)}\n` : lineOf(post))
      const running = await monitorToAsk(options, config)
      if (options.follow) return follow(running, config, limit, print)
      const posts =
        running === undefined ? await stored(config, limit) : await served(running, limit)
      posts.toReversed().forEach(print)
    })
}

function linesOf({ lines }: TailOptions): number {
  const count = Number(lines)
  if (Number.isInteger(count) && count >= 1 && count <= maxLines) return count
  throw new AppError('USAGE', `--lines must be a whole number from 1 to ${maxLines}`)
}

/** One line a post: when, tone, instruments, text. */
function lineOf(post: FeedPost): string {
  const score = `${post.score < 0 ? '-' : '+'}${Math.abs(post.score).toFixed(2)}`
  const tickers = post.mentions.map(({ ticker }) => ticker).join(' ')
  return `${inert(`${post.publishedAt}  ${score}  [${post.topic}] ${tickers}  ${post.text}`)}\n`
}

async function served(url: string, limit: number): Promise<FeedPost[]> {
  return (await ask<Feed>(`${url}/api/posts?limit=${limit}`)).posts
}

function stored(config: Config, limit: number): Promise<FeedPost[]> {
  return withStore(config, async (store) => {
    const logTopic = logTopicOf(topics.posts, await currentEpoch(store, topics.posts))
    const linker = createLinker()
    const find = (id: string) => linker.instrument(id)
    return (await readFeed(store, { logTopic, limit, before: undefined, find })).posts
  })
}

/** The stream is opened first: what it brings from then on and what the feed holds now overlap, so nothing falls between. */
async function follow(
  url: string | undefined,
  config: Config,
  limit: number,
  print: (post: FeedPost) => void,
): Promise<void> {
  if (url === undefined)
    throw new AppError(
      'NOT_RUNNING',
      `No monitor serves ${config.dataDir}: name one with --url, or leave --follow out`,
    )
  const stream = await fetch(`${url}/api/stream`)
  if (!stream.ok || stream.body === null)
    throw new AppError('NOT_RUNNING', `${url} sent no stream (${stream.status})`)
  process.stdout.once('error', () => stream.body?.cancel())
  const positionOf = (post: FeedPost) => `${post.partition}/${post.offset}`
  const printed = new Set<string>()
  for (const post of (await served(url, limit)).toReversed()) {
    printed.add(positionOf(post))
    print(post)
  }
  const parser = createParser({
    onEvent({ event, data }) {
      if (event !== 'posts') return
      for (const post of JSON.parse(data) as FeedPost[])
        if (!printed.delete(positionOf(post))) print(post)
    },
  })
  try {
    for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) parser.feed(chunk)
  } catch (cause) {
    throw new AppError('NOT_RUNNING', `The monitor at ${url} is gone`, { cause })
  }
}
