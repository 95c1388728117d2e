/** When a replay sends each post, and what time the post then bears. Pure: no clock, no waiting. */
import type { Post } from './contract.ts'

/** Source milliseconds a millisecond of the replay; `full`: without waiting. */
export type Speed = number | 'full'

interface PlanBase {
  readonly speed: Speed
  /** When the replay begins, in milliseconds since 1970. */
  readonly startMs: number
  /** Only posts of [fromMs, toMs) are played. The replay begins at fromMs, or at its first post. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/**
 * `keep`: posts keep their times. `rebase`: publishedAt becomes the time at which the replay sends the post (the start, at full
 * speed) and originalPublishedAt keeps the source's. `history`: as if a replay of `speed` had sent them before startMs, where
 * toMs falls; all sent without waiting, and marked as history.
 */
export type Plan =
  | (PlanBase & { readonly times: 'keep' | 'rebase' })
  | (PlanBase & { readonly times: 'history'; readonly toMs: number })

export interface Scheduled {
  /** Not to be sent before this time, in milliseconds since 1970. */
  readonly dueMs: number
  readonly post: Post
}

/** `outside`: not of [fromMs, toMs). `disordered`: published before the post above it, where the order matters. */
export type Placement = Scheduled | 'outside' | 'disordered'

/** A function to call with each post in turn. Posts must be as parsePost returns them. */
export function createScheduler(plan: Plan): (post: Post) => Placement {
  const { speed, startMs, fromMs = -Infinity, toMs = Infinity } = plan
  const orderMatters = speed !== 'full' && plan.times !== 'history'
  let originMs = plan.fromMs
  let previousMs = -Infinity

  return (post) => {
    const sourceMs = Date.parse(post.publishedAt)
    if (orderMatters && sourceMs < previousMs) return 'disordered'
    previousMs = sourceMs
    if (sourceMs < fromMs || sourceMs >= toMs) return 'outside'
    if (plan.times === 'history') {
      const publishedMs = startMs - scaled(plan.toMs - sourceMs, speed)
      return { dueMs: startMs, post: { ...moved(post, publishedMs), history: true } }
    }
    originMs ??= sourceMs
    const dueMs = startMs + scaled(sourceMs - originMs, speed)
    return { dueMs, post: plan.times === 'rebase' ? moved(post, dueMs) : post }
  }
}

function moved(post: Post, publishedMs: number): Post {
  return {
    ...post,
    publishedAt: new Date(publishedMs).toISOString(),
    originalPublishedAt: post.originalPublishedAt ?? post.publishedAt,
  }
}

function scaled(sourceMs: number, speed: Speed): number {
  return speed === 'full' ? 0 : sourceMs / speed
}
