/**
 * Tells whether the mean of a signal has moved, without labels: the last posts against a reference, by a t test on the means of blocks of posts.
 *
 * learning: the first `referenceBlocks` blocks become the reference. watching: each full block moves the window of the last `windowBlocks`, and is one look at
 * it. A look that finds a shift ends the watch: the posts that follow are the new reference, so that one change is found once.
 *
 * Posts come in bursts about the same thing and are not independent. Block means take in what is correlated within a block (batch means: Conway 1963); what
 * is left from block to block widens the error by (1 + r) / (1 - r), with their lag-1 correlation r in the reference, as in an AR(1) process
 * (Bayley and Hammersley 1946). Memory is one window; nothing depends on a clock.
 */
import jstat from 'jstat'

export interface DetectorOptions {
  readonly blockPosts: number
  readonly referenceBlocks: number
  readonly windowBlocks: number
  /** Of |t|: `shiftThreshold`. */
  readonly threshold: number
  /** Least standard deviation of a post's value that is believed: a reference without a rare class says little of how rare it is. */
  readonly leastDeviation: number
}

export interface Shift {
  readonly before: number
  readonly after: number
}

export const detectorPhases = ['learning', 'watching'] as const

export interface DetectorState {
  readonly phase: (typeof detectorPhases)[number]
  /** Mean of what is known of the reference; NaN before its first block. */
  readonly reference: number
  /** Mean of the window; NaN before its first block. */
  readonly window: number
  /** |t| of the last look as a share of the threshold: 1 is a shift. 0 before the first look, and while learning. */
  readonly strain: number
  readonly shifts: number
}

/** |t| that `tests` two-sided tests together exceed with the probability `falseAlarms` where nothing moves, by Bonferroni's bound. */
export function shiftThreshold({
  falseAlarms,
  tests,
  referenceBlocks,
}: {
  readonly falseAlarms: number
  readonly tests: number
  readonly referenceBlocks: number
}): number {
  return -jstat.studentt.inv(falseAlarms / tests / 2, referenceBlocks - 1)
}

export class ShiftDetector {
  readonly #options: DetectorOptions
  #reference = new BlockMoments()
  readonly #window: Float64Array
  /** Blocks since the reference was full. */
  #watched = 0
  #blockSum = 0
  #blockCount = 0
  #strain = 0
  #shifts = 0

  constructor(options: DetectorOptions) {
    this.#options = options
    this.#window = new Float64Array(options.windowBlocks)
  }

  /** The shift that this value completes, if it does. */
  observe(value: number): Shift | undefined {
    this.#blockSum += value
    this.#blockCount++
    if (this.#blockCount < this.#options.blockPosts) return undefined
    const mean = this.#blockSum / this.#blockCount
    this.#blockSum = 0
    this.#blockCount = 0
    if (!this.#isWatching()) {
      this.#reference.add(mean)
      return undefined
    }
    this.#window[this.#watched % this.#window.length] = mean
    this.#watched++
    return this.#watched < this.#window.length ? undefined : this.#look()
  }

  get state(): DetectorState {
    return {
      phase: this.#isWatching() ? 'watching' : 'learning',
      reference: this.#reference.mean,
      window: this.#windowMean(),
      strain: this.#strain,
      shifts: this.#shifts,
    }
  }

  #isWatching(): boolean {
    return this.#reference.count >= this.#options.referenceBlocks
  }

  #windowMean(): number {
    const filled = Math.min(this.#watched, this.#window.length)
    return this.#window.subarray(0, filled).reduce((sum, mean) => sum + mean, 0) / filled
  }

  #look(): Shift | undefined {
    const { threshold, windowBlocks, referenceBlocks, leastDeviation, blockPosts } = this.#options
    const { mean: before, variance, correlation } = this.#reference
    const after = this.#windowMean()
    const believed = Math.max(variance, leastDeviation ** 2 / blockPosts)
    const widened = (believed * (1 + correlation)) / (1 - correlation)
    const error = Math.sqrt(widened * (1 / windowBlocks + 1 / referenceBlocks))
    this.#strain = Math.abs(after - before) / error / threshold
    if (this.#strain < 1) return undefined
    this.#shifts++
    this.#learnAgain()
    return { before, after }
  }

  /** Not from the window: a part of it is from before the change. */
  #learnAgain(): void {
    this.#reference = new BlockMoments()
    this.#watched = 0
    this.#strain = 0
  }
}

/** Above this a reference says nothing: its blocks are one long burst. */
const mostCorrelation = 0.8

/** Moments of a sequence of block means, by Welford's recurrence. */
class BlockMoments {
  count = 0
  #mean = 0
  #squares = 0
  #first = 0
  #last = 0
  #products = 0

  add(value: number): void {
    if (this.count === 0) this.#first = value
    else this.#products += this.#last * value
    this.count++
    const before = value - this.#mean
    this.#mean += before / this.count
    this.#squares += before * (value - this.#mean)
    this.#last = value
  }

  get mean(): number {
    return this.count === 0 ? Number.NaN : this.#mean
  }

  get variance(): number {
    return this.#squares / (this.count - 1)
  }

  /** Lag-1 autocorrelation, 0 to `mostCorrelation`, corrected for its bias of -1/n (Kendall 1954). */
  get correlation(): number {
    if (this.#squares === 0) return 0
    const { count } = this
    const sums = 2 * count * this.#mean - this.#first - this.#last
    const covariance = this.#products - this.#mean * sums + (count - 1) * this.#mean ** 2
    const estimate = covariance / this.#squares + 1 / count
    return Math.min(mostCorrelation, Math.max(0, estimate))
  }
}
