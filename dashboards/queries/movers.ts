/** Which instruments changed their tone most within the window. */
import type { Store } from '../../infra/store/store.ts'
import type { Mover, WindowInfo } from '../contract.ts'
import { describeInstrument, type FindInstrument, unresolvedPrefix } from '../instruments.ts'
import { fillSlots } from '../window.ts'

export const sparklineSlots = 30
/** The newest fifth is "now", the rest "before". */
const recentSlots = sparklineSlots / 5
/** Instruments with the most posts that are compared; the others are too thin to move. */
const candidates = 200
/** A tone of fewer posts is chance. */
const minPosts = 4
/** Scores lie in [-1, 1]; this prior variance keeps two lucky posts from being a surprise. */
const priorVariance = 0.25

/** Moments of the scores of one slot. */
export interface SlotMoments {
  readonly slot: number
  readonly posts: number
  readonly sum: number
  readonly squares: number
}

interface Row {
  readonly instrument: string
  readonly instruments: number
  readonly slots: readonly (readonly [number, number, number, number])[]
}

const sql = `
SELECT instrument, groupArray((slot, posts, sum, squares)) AS slots, toUInt32(count() OVER ()) AS instruments
FROM (
  SELECT
    instrument,
    toInt32(intDiv(toUnixTimestamp64Milli(published_at) - {from:Int64}, {slotMs:Int64})) AS slot,
    toUInt32(count()) AS posts,
    sum(score) AS sum,
    sum(score * score) AS squares
  FROM served_v
  WHERE outcome = 'scored'
    AND ordinal > 0
    AND NOT startsWith(instrument, {unresolved:String})
    AND published_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
    AND published_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  GROUP BY instrument, slot
)
GROUP BY instrument
ORDER BY sum(posts) DESC, instrument
LIMIT {candidates:UInt32}`

/** The `limit` instruments with the largest surprise, and how many instruments were mentioned at all. */
export async function readMovers(
  store: Store,
  window: WindowInfo,
  find: FindInstrument,
  limit: number,
): Promise<{ movers: Mover[]; instruments: number }> {
  const slotMs = Math.ceil((window.to - window.from) / sparklineSlots)
  const rows = await store.query<Row>(sql, {
    ...window,
    slotMs,
    unresolved: unresolvedPrefix,
    candidates,
  })
  const movers = rows
    .map((row) => toMover(row, find))
    .filter(({ posts }) => posts >= minPosts)
    .sort((a, b) => b.surprise - a.surprise || b.posts - a.posts)
  return { movers: movers.slice(0, limit), instruments: rows[0]?.instruments ?? 0 }
}

function toMover(row: Row, find: FindInstrument): Mover {
  const slots = row.slots.map(([slot, posts, sum, squares]) => ({ slot, posts, sum, squares }))
  const recent = add(slots.filter(({ slot }) => slot >= sparklineSlots - recentSlots))
  const before = add(slots.filter(({ slot }) => slot < sparklineSlots - recentSlots))
  const newest = recent.posts > 0 ? recent : before
  return {
    ...describeInstrument(row.instrument, find),
    posts: recent.posts + before.posts,
    score: newest.sum / newest.posts,
    before: before.posts > 0 ? before.sum / before.posts : null,
    surprise: surprise(recent, before),
    sparkline: fillSlots(slots, sparklineSlots, (slot) =>
      slot === undefined ? null : slot.sum / slot.posts,
    ),
  }
}

type Moments = Omit<SlotMoments, 'slot'>

function add(slots: readonly Moments[]): Moments {
  return slots.reduce(
    (total, slot) => ({
      posts: total.posts + slot.posts,
      sum: total.sum + slot.sum,
      squares: total.squares + slot.squares,
    }),
    { posts: 0, sum: 0, squares: 0 },
  )
}

/** Welch's t of the two means, each variance shrunk towards the prior by one pseudo-observation; 0 where one is empty. */
export function surprise(recent: Moments, before: Moments): number {
  if (recent.posts === 0 || before.posts === 0) return 0
  const difference = recent.sum / recent.posts - before.sum / before.posts
  return Math.abs(difference) / Math.sqrt(squaredError(recent) + squaredError(before))
}

function squaredError({ posts, sum, squares }: Moments): number {
  const deviations = Math.max(0, squares - (sum * sum) / posts)
  return (deviations + priorVariance) / posts / posts
}
