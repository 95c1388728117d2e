/**
 * What a window of a series usually holds: an exponentially weighted mean and variance of window volumes, shrunk to
 * the pool of all series where history is short.
 *
 * Series without a post in a window saw a zero. Those zeros are applied lazily: `taught` counts the windows that
 * taught anything, and a series catches up from its own `at` when it is touched. So the state is O(1) a series and a
 * close costs only the series it concerns.
 */
import type { NegativeBinomial } from './negative-binomial.ts'

export interface Baseline {
  /** The window count up to which this baseline has learned. */
  readonly at: number
  /** Weighted number of windows, and weighted sums over them. */
  readonly windows: number
  readonly volume: number
  readonly squares: number
  readonly stories: number
}

/** All series together. */
export interface Pool {
  readonly series: number
  /** Sum of the series' mean volumes. */
  readonly volume: number
  readonly dispersion: number
}

export interface Expectation extends NegativeBinomial {
  /** Mean number of stories in a window. */
  readonly stories: number
  /** Windows that taught it. */
  readonly windows: number
}

export interface Memory {
  /** Windows after which a lesson weighs half. */
  readonly halfLife: number
}

export interface BaselineOptions extends Memory {
  /** Buckets in a window: neighbouring windows share all but one, so only one in so many is new evidence. */
  readonly overlap: number
}

/** The prior counts as much as one window without overlap. */
const priorWindows = 1
/** A series' own dispersion outweighs the pool's after this much observed volume. */
const priorVolume = 10
const minDispersion = 0.02
/** Below this mean a series is forgotten: it can hold no evidence the pool does not. */
const negligibleMean = 1e-4
/** What an engine without any history expects of a series. */
const priorMean = 0.1
const priorDispersion = 0.5

export function emptyBaseline(taught: number, { halfLife }: Memory): Baseline {
  const decay = 0.5 ** (1 / halfLife)
  const windows = (1 - decay ** taught) / (1 - decay)
  return { at: taught, windows, volume: 0, squares: 0, stories: 0 }
}

/** Applies the zeros of the windows taught since. */
export function caughtUp(baseline: Baseline, taught: number, { halfLife }: Memory): Baseline {
  if (baseline.at === taught) return baseline
  const decay = 0.5 ** (1 / halfLife)
  const factor = decay ** (taught - baseline.at)
  return {
    at: taught,
    windows: baseline.windows * factor + (1 - factor) / (1 - decay),
    volume: baseline.volume * factor,
    squares: baseline.squares * factor,
    stories: baseline.stories * factor,
  }
}

/** The lesson of one more window. `baseline` must be caught up. */
export function learned(
  baseline: Baseline,
  window: { readonly volume: number; readonly stories: number },
  { halfLife }: Memory,
): Baseline {
  const decay = 0.5 ** (1 / halfLife)
  return {
    at: baseline.at + 1,
    windows: baseline.windows * decay + 1,
    volume: baseline.volume * decay + window.volume,
    squares: baseline.squares * decay + window.volume ** 2,
    stories: baseline.stories * decay + window.stories,
  }
}

/** The window taught this series nothing: it goes on as if the window had not been. */
export const unlearned = (baseline: Baseline): Baseline => ({ ...baseline, at: baseline.at + 1 })

function moments({ windows, volume, squares }: Baseline): { mean: number; excess: number } {
  if (windows === 0) return { mean: 0, excess: 0 }
  const mean = volume / windows
  return { mean, excess: squares / windows - mean ** 2 - mean }
}

export const isNegligible = (baseline: Baseline): boolean => moments(baseline).mean < negligibleMean

/** Moment estimates over all series; each must be caught up. Excess variance is relative to Poisson. */
export function poolOf(baselines: Iterable<Baseline>): Pool {
  let [series, volume, excess, squaredMeans] = [0, 0, 0, 0]
  for (const baseline of baselines) {
    if (isNegligible(baseline)) continue
    const own = moments(baseline)
    series += 1
    volume += own.mean
    excess += own.excess
    squaredMeans += own.mean ** 2
  }
  if (series === 0) return { series, volume, dispersion: priorDispersion }
  return { series, volume, dispersion: Math.max(minDispersion, excess / squaredMeans) }
}

/**
 * The predictive distribution of the next window, of which the part `coverage` (0..1] was watched. A sum of probabilities varies less than a count of the same mean, so
 * the negative binomial errs towards silence. Its dispersion holds the series' own, shrunk to the pool's, and the doubt
 * about the mean itself: variance of the mean = (mean + phi mean^2) / windows, divided by mean^2.
 */
export function expectationOf(
  baseline: Baseline,
  pool: Pool,
  { overlap }: BaselineOptions,
  coverage = 1,
): Expectation {
  const { windows, volume, stories } = baseline
  const pooledMean = pool.series === 0 ? priorMean : pool.volume / pool.series
  const prior = priorWindows * overlap
  const mean = (volume + prior * pooledMean) / (windows + prior)
  const own = moments(baseline)
  const independent = windows / overlap
  const evidence = independent * Math.min(1, own.mean)
  const ownDispersion = own.mean === 0 ? 0 : Math.max(0, own.excess) / own.mean ** 2
  const shrunk =
    (evidence * ownDispersion + priorVolume * pool.dispersion) / (evidence + priorVolume)
  const doubt = (1 / mean + shrunk) / (independent + priorWindows)
  return {
    mean: mean * coverage,
    dispersion: shrunk + doubt,
    stories: windows === 0 ? 0 : (stories / windows) * coverage,
    windows,
  }
}
