/**
 * The rule `negative-volume`: the sum of P(negative) over the distinct stories of a window is far above what such a
 * window of this instrument usually holds. How long a spike lasts is not known beforehand, so windows of several lengths,
 * each twice the last, are judged by their own baselines.
 *
 * The threshold spends a budget of false alarms over everything looked at: windows a day, times lengths, times series. Series share it
 * as a weighted Bonferroni correction (Genovese, Roeder and Wasserman 2006), valid under any dependence: half in equal
 * parts, half by usual volume. The weights come from the baselines alone, never from the window they judge.
 */

import type { AlertEvidence } from '../contract.ts'
import type { Window } from '../window.ts'
import { type Baseline, type Expectation, expectationOf, type Pool } from './baseline.ts'
import { midP, quantile } from './negative-binomial.ts'

export const ruleName = 'negative-volume'

export interface VolumeOptions {
  /** Windows after which a lesson weighs half. */
  readonly halfLife: number
  /** Lengths of the windows in buckets. */
  readonly windows: readonly number[]
  /** Expected false alarms a day over all series. */
  readonly falseAlarmsADay: number
  readonly windowsADay: number
  readonly minNegativePosts: number
  readonly minStories: number
  readonly minAuthors: number
}

/** A window of one length, with what judges it. */
export interface Watched {
  readonly window: Window
  /** Buckets in the window. */
  readonly length: number
  /** The part of the window that was watched, (0..1]: less than 1 only just after the start. */
  readonly coverage: number
  readonly baseline: Baseline
  readonly pool: Pool
}

export interface Judgement {
  readonly expected: Expectation
  readonly pValue: number
  readonly threshold: number
  readonly broad: boolean
  /** What the window teaches the baseline; `null`: nothing, it is too unusual. */
  readonly lesson: { readonly volume: number; readonly stories: number } | null
}

/** A lesson is cut at this quantile: the onset of a spike must not widen the baseline that is to find it. */
const lessonCut = 0.99

/**
 * A younger baseline does not judge, and learns all it sees. Judged by the pool alone, what is usual for a busy series
 * would look like a spike, teach nothing, and go on looking like one.
 */
const minIndependentWindows = 5

export function judge(watched: Watched, options: VolumeOptions): Judgement {
  const { window, length, coverage, baseline, pool } = watched
  const expected = expectationOf(
    baseline,
    pool,
    { halfLife: options.halfLife, overlap: length },
    coverage,
  )
  const threshold = thresholdOf(expected.mean / coverage, pool, options)
  const isYoung = expected.windows < minIndependentWindows * length
  const pValue = isYoung ? 1 : midP(expected, window.volume)
  const volume = pValue < 1 - lessonCut ? quantile(expected, lessonCut) : window.volume
  return {
    expected,
    pValue,
    threshold,
    broad:
      window.negativePosts >= options.minNegativePosts &&
      window.stories >= options.minStories &&
      window.authors >= options.minAuthors,
    lesson: pValue < threshold ? null : { volume, stories: window.stories },
  }
}

/** The index of the judgement that speaks loudest: the smallest p-value for its threshold, broad ones first. */
export function loudest(judgements: readonly Judgement[]): number {
  const loudness = ({ pValue, threshold, broad }: Judgement): number =>
    pValue < threshold && !broad ? 1 : pValue / threshold
  return judgements.reduce(
    (best, judgement, index) =>
      loudness(judgement) < loudness(judgements[best] ?? judgement) ? index : best,
    0,
  )
}

/** The judgement in the terms that an alert shows. */
export function explain(
  { expected, pValue, threshold }: Judgement,
  window: Window,
): Omit<AlertEvidence, 'windowStart' | 'windowEnd'> {
  return {
    observed: window.volume,
    expected: expected.mean,
    usualLow: quantile(expected, 0.05),
    usualHigh: quantile(expected, 0.95),
    pValue,
    threshold,
    baselineWindows: expected.windows,
    posts: window.posts,
    negativePosts: window.negativePosts,
    stories: window.stories,
    negativeStories: window.negativeStories,
    authors: window.authors,
    ...sharesOf(window, expected),
  }
}

function thresholdOf(mean: number, pool: Pool, options: VolumeOptions): number {
  const budget = options.falseAlarmsADay / options.windowsADay / options.windows.length
  const equal = 1 / Math.max(1, pool.series)
  const byVolume = pool.volume === 0 ? equal : Math.min(1, mean / pool.volume)
  return budget * ((equal + byVolume) / 2)
}

/**
 * volume = stories x tone (mean P(negative)). The excess over the baseline splits into what more stories and what a more
 * negative tone explain, each change valued at the average of the other factor (the Shapley value of two factors).
 */
function sharesOf(
  window: Window,
  expected: Expectation,
): { shareFromPosts: number; shareFromTone: number } {
  const excess = window.volume - expected.mean
  if (excess <= 0 || window.stories === 0) return { shareFromPosts: 0, shareFromTone: 0 }
  const tone = window.volume / window.stories
  const usualTone = expected.stories === 0 ? tone : expected.mean / expected.stories
  const fromPosts = ((window.stories - expected.stories) * (tone + usualTone)) / 2
  const shareFromPosts = fromPosts / excess
  return { shareFromPosts, shareFromTone: 1 - shareFromPosts }
}
