import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SeriesPoint, WindowInfo } from './contract.ts'
import { summarise } from './mood.ts'

const window: WindowInfo = { range: '15m', from: 0, to: 20 * 60_000, bucketMs: 60_000 }

/** One point a minute. */
const series = (points: readonly (readonly [posts: number, score: number])[]): SeriesPoint[] =>
  points.map(([posts, score], index) => ({
    at: index * 60_000,
    posts,
    score: posts === 0 ? null : score,
    negative: 0,
  }))

describe('summarise', () => {
  it('weighs the newest tenth by posts and takes the band from the rest', () => {
    const earlier = Array.from({ length: 18 }, (_, i): [number, number] => [4, i / 17])
    const summary = summarise(series([...earlier, [1, -1], [3, 0.2]]), window)
    assert.ok(Math.abs((summary.mood ?? 0) - -0.1) < 1e-12)
    assert.ok(Math.abs((summary.usual?.low ?? 0) - 0.1) < 1e-12)
    assert.ok(Math.abs((summary.usual?.high ?? 0) - 0.9) < 1e-12)
    assert.deepEqual([summary.posts, summary.postsPerMinute], [76, 2])
  })

  it('says nothing where there are too few posts', () => {
    const thin = Array.from({ length: 18 }, (): [number, number] => [2, 0.5])
    const summary = summarise(series([...thin, [0, 0], [0, 0]]), window)
    assert.deepEqual([summary.mood, summary.usual], [null, null])
  })
})
