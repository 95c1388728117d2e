/** The headline figures of a window, from its series. */
import type { Band, Overview, SeriesPoint, WindowInfo } from './contract.ts'

/** Buckets with fewer posts say nothing about what is usual. */
const minPosts = 3
const minBuckets = 5

export function summarise(
  points: readonly SeriesPoint[],
  window: WindowInfo,
): Pick<Overview['kpis'], 'mood' | 'usual' | 'posts' | 'postsPerMinute'> {
  const newest = Math.max(1, Math.round(points.length / 10))
  const recent = points.slice(-newest)
  const recentPosts = countPosts(recent)
  return {
    mood: meanScore(recent),
    usual: usualBand(points.slice(0, -newest)),
    posts: countPosts(points),
    postsPerMinute: recentPosts / ((newest * window.bucketMs) / 60_000),
  }
}

const countPosts = (points: readonly SeriesPoint[]): number =>
  points.reduce((total, { posts }) => total + posts, 0)

function meanScore(points: readonly SeriesPoint[]): number | null {
  const posts = countPosts(points)
  if (posts === 0) return null
  return points.reduce((total, point) => total + (point.score ?? 0) * point.posts, 0) / posts
}

function usualBand(points: readonly SeriesPoint[]): Band | null {
  const scores = points
    .filter(({ posts }) => posts >= minPosts)
    .map(({ score }) => score ?? 0)
    .sort((a, b) => a - b)
  if (scores.length < minBuckets) return null
  return { low: quantile(scores, 0.1), high: quantile(scores, 0.9) }
}

/** Of sorted values, linear between neighbours (type 7 of Hyndman and Fan). */
function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q
  const below = sorted[Math.floor(at)] ?? 0
  const above = sorted[Math.ceil(at)] ?? below
  return below + (above - below) * (at - Math.floor(at))
}
