/**
 * The replay of `npm start`: the earlier part of the bundled file goes in as history, to teach the baselines, and then dense days
 * play live, both at one speed. It never passes for live input: `status` says what plays.
 */
import { join } from 'node:path'
import type { Clock } from '../infra/clock.ts'
import type { Log } from '../infra/log/log.ts'
import { packageRoot } from '../infra/package-root.ts'
import { type ReplaySummary, realSleep, replay, type Sleep } from './replay.ts'
import { readPostFile, type SourceRow } from './replay-file.ts'
import { createLogSink } from './sinks.ts'

export const demoFile = join(packageRoot, 'data', 'market-tweets-2020.ndjson')

/** The source that its posts carry. */
export const demoSource = 'market-tweets-2020'

/** Source times, milliseconds since 1970: history is [historyFromMs, liveFromMs), live is [liveFromMs, liveToMs). */
export interface DemoDays {
  readonly historyFromMs: number
  readonly liveFromMs: number
  readonly liveToMs: number
}

const dayMs = 86_400_000

/** `from` and `to` are the first and the last day that play live, in ISO form; all earlier days are history. */
export function demoDays(from: string, to: string): DemoDays {
  return {
    historyFromMs: 0,
    liveFromMs: Date.parse(from),
    liveToMs: Date.parse(to) + dayMs,
  }
}

export interface DemoStatus {
  /** What plays, in words. */
  readonly title: string
  readonly state: 'seeding' | 'playing' | 'finished' | 'failed'
  /** Where the live part stands in the time of its source, RFC 3339; null while history goes in. */
  readonly sourceTime: string | null
  readonly speed: number
  /** Posts of the live part: played so far, and in all. */
  readonly posts: number
  readonly total: number
}

export interface Demo {
  status(): DemoStatus
  /** Resolves when the last post is durable, or the signal ended it; rejects when the log fails. */
  readonly done: Promise<{ readonly history: ReplaySummary; readonly live?: ReplaySummary }>
}

export interface DemoOptions {
  readonly log: Pick<Log, 'append'>
  readonly clock: Clock
  readonly speed: number
  /** Makes this run's post ids its own: a second run must not look like duplicates of the first. */
  readonly runId: string
  /** Called when the history is durable in the log; live play begins when it resolves. */
  awaitStored(): Promise<void>
  readonly signal?: AbortSignal
  readonly days: DemoDays
  readonly file?: string
  readonly sleep?: Sleep
}

export function playDemo(options: DemoOptions): Demo {
  const { log, clock, speed, runId, signal } = options
  const { days, file = demoFile, sleep = realSleep } = options
  let liveStartMs: number | undefined
  let ended: 'finished' | 'failed' | undefined
  let posts = 0
  let total = 0

  const common = { sink: createLogSink({ log, sleep }), clock, sleep, signal }
  const rows = () => readPostFile(file, { source: demoSource, idPrefix: `${runId}-` })

  async function play() {
    const history = await replay({
      ...common,
      rows: rows(),
      plan: {
        times: 'history',
        speed,
        startMs: clock(),
        fromMs: days.historyFromMs,
        toMs: days.liveFromMs,
      },
    })
    if (history.interrupted) return { history }
    total = await countPosts(rows(), days)
    await options.awaitStored()
    if (signal?.aborted) return { history }
    liveStartMs = clock()
    const live = await replay({
      ...common,
      rows: rows(),
      plan: {
        times: 'rebase',
        speed,
        startMs: liveStartMs,
        fromMs: days.liveFromMs,
        toMs: days.liveToMs,
      },
      onProgress: ({ accepted }) => {
        posts = accepted
      },
    })
    return { history, live }
  }

  function sourceTime(): string | null {
    if (liveStartMs === undefined) return null
    const playedMs = (clock() - liveStartMs) * speed
    return new Date(Math.min(days.liveFromMs + playedMs, days.liveToMs)).toISOString()
  }

  return {
    status: () => ({
      title: 'market tweets of 2020',
      state: ended ?? (liveStartMs === undefined ? 'seeding' : 'playing'),
      sourceTime: sourceTime(),
      speed,
      posts,
      total,
    }),
    done: play().then(
      (summary) => {
        ended = 'finished'
        return summary
      },
      (error: unknown) => {
        ended = 'failed'
        throw error
      },
    ),
  }
}

async function countPosts(
  rows: AsyncIterable<readonly SourceRow[]>,
  { liveFromMs, liveToMs }: DemoDays,
): Promise<number> {
  let count = 0
  for await (const page of rows) {
    for (const row of page) {
      const publishedMs = row.ok ? Date.parse(row.post.publishedAt) : Number.NaN
      if (publishedMs >= liveFromMs && publishedMs < liveToMs) count += 1
    }
  }
  return count
}
