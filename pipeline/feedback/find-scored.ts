/**
 * Tells a post that is not scored yet from one that nobody knows. When the table has no such post, everything that the log held at that moment is
 * waited for, a little: once it is stored and the post still is not there, it is unknown. If the pipeline is further behind than that, nobody can tell.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../infra/clock.ts'
import { type Log, topics } from '../../infra/log/log.ts'
import { readMarks } from '../../infra/store/offsets.ts'
import type { Store } from '../../infra/store/store.ts'
import { type NotTaken, notNow, refuse } from './label.ts'
import { findPosts, type ScoredPost, type Wanted } from './scored-posts.ts'

export interface FindDeps {
  readonly log: Pick<Log, 'endOffsets'>
  readonly store: Store
  /** The topic `posts` with its epoch. */
  readonly logTopic: string
  readonly clock: Clock
}

const pollMs = 50

/** In the order of `wanted`; waits until this time of the clock for posts to be scored. */
export async function findScored(
  deps: FindDeps,
  wanted: readonly Wanted[],
  until: number,
): Promise<(ScoredPost | NotTaken)[]> {
  const found = await findPosts(deps.store, wanted)
  const missing = wanted.filter((_, i) => found[i] === undefined)
  if (missing.length === 0) return found.filter((post) => post !== undefined)
  const waiting = await awaitStored(deps, until)
  const later = new Map(
    (await findPosts(deps.store, missing)).map((post, i) => [missing[i], post] as const),
  )
  return wanted.map((post, i) => found[i] ?? later.get(post) ?? absent(waiting))
}

function absent(waiting: number): NotTaken {
  if (waiting === 0) return refuse('unknown-post', 'there is no such post')
  return notNow('not-scored', `the post is not scored yet, or unknown: ${waiting} posts wait`)
}

/** How many offsets of now the table still lacks when patience ends. */
async function awaitStored(
  { log, store, logTopic, clock }: FindDeps,
  until: number,
): Promise<number> {
  const ends = await log.endOffsets(topics.posts)
  for (;;) {
    const marks = new Map(
      (await readMarks(store, logTopic)).map(({ partition, mark }) => [partition, mark]),
    )
    const waiting = ends.reduce(
      (sum, end, partition) => sum + Math.max(0, end - 1 - (marks.get(partition) ?? -1)),
      0,
    )
    if (waiting === 0 || clock() >= until) return waiting
    await delay(pollMs)
  }
}
