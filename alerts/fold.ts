/**
 * The alert state as a fold: closed buckets and baseline seeds in, events out. No clock, no store, no randomness: equal
 * input gives equal events and an equal state.
 */
import { createHash } from 'node:crypto'
import type { AlertEvent, AlertState } from './contract.ts'
import {
  type Baseline,
  caughtUp,
  emptyBaseline,
  isNegligible,
  learned,
  poolOf,
  unlearned,
} from './detectors/baseline.ts'
import { explain, type Judgement, judge, ruleName, type VolumeOptions } from './detectors/volume.ts'
import { initialState, isOpen, type RuleState, type Transition, transition } from './states.ts'
import { type SavedStory, StoryIndex, type StoryOptions } from './stories.ts'
import {
  type Bucket,
  count,
  countRepeat,
  emptyBucket,
  type MentionRow,
  positionOf,
  sumOf,
  type Window,
} from './window.ts'

export interface FoldOptions {
  readonly bucketMs: number
  readonly stories: StoryOptions
  readonly volume: VolumeOptions
  readonly publicUrl: string
  instrumentName(id: string): string
}

interface Series {
  baseline: Baseline
  /** Buckets of the window that hold posts, oldest first. */
  buckets: Bucket[]
  rule: RuleState
}

export interface FoldSnapshot {
  readonly taught: number
  readonly lastPosts: number
  readonly series: readonly (readonly [string, Series])[]
  readonly stories: readonly SavedStory[]
}

export class AlertFold {
  readonly #options: FoldOptions
  readonly #windowMs: number
  #series = new Map<string, Series>()
  /** Series that must be looked at in every bucket: with posts in the window, or an open alert. */
  #active = new Set<string>()
  #stories: StoryIndex
  /** Windows that taught the baselines so far. */
  #taught = 0
  /** End of the newest bucket that held a post of any instrument. */
  #lastPosts = 0

  constructor(options: FoldOptions, snapshot?: FoldSnapshot) {
    this.#options = options
    this.#windowMs = options.volume.overlap * options.bucketMs
    this.#stories = new StoryIndex(options.stories, snapshot?.stories)
    if (snapshot === undefined) return
    this.#taught = snapshot.taught
    this.#lastPosts = snapshot.lastPosts
    this.#series = new Map(structuredClone(snapshot.series) as [string, Series][])
    for (const [id, series] of this.#series)
      if (series.buckets.length > 0 || isOpen(series.rule)) this.#active.add(id)
  }

  snapshot(): FoldSnapshot {
    return {
      taught: this.#taught,
      lastPosts: this.#lastPosts,
      series: structuredClone([...this.#series]),
      stories: this.#stories.save(),
    }
  }

  get seriesCount(): number {
    return this.#series.size
  }

  /** Nothing would change if empty buckets were closed now. */
  get isIdle(): boolean {
    return this.#active.size === 0
  }

  /** Closes the bucket that ends at `end` with its mentions in log order, and tells what that changed. */
  closeBucket(end: number, rows: readonly MentionRow[]): AlertEvent[] {
    this.#stories.forget(end)
    for (const row of rows) this.#count(end, row)
    if (rows.length > 0) this.#lastPosts = end
    const events = this.#evaluate(end)
    this.#forgetNegligible()
    return events
  }

  /** Replaces what is known of the past by history: `buckets` in order of time, none of which raises anything. */
  async seed(buckets: AsyncIterable<{ end: number; rows: readonly MentionRow[] }>): Promise<void> {
    const past = new AlertFold(this.#options)
    for await (const { end, rows } of buckets) past.closeBucket(end, rows)
    const seeded = new Map<string, Series>()
    for (const [id, { baseline }] of past.#series)
      seeded.set(id, { baseline, buckets: [], rule: initialState })
    for (const id of this.#active) {
      const open = this.#series.get(id)
      if (open === undefined) continue
      const baseline = seeded.get(id)?.baseline ?? emptyBaseline(past.#taught, this.#options.volume)
      seeded.set(id, { ...open, baseline })
    }
    this.#series = seeded
    this.#stories = past.#stories
    this.#taught = past.#taught
  }

  #count(end: number, row: MentionRow): void {
    const story = this.#stories.observe(
      {
        position: positionOf(row),
        signature: row.signature,
        contentHash: row.content_hash,
      },
      end,
    )
    const series = this.#seriesOf(row.instrument)
    if (story.instruments.has(row.instrument)) countRepeat(series.buckets, story.id)
    let bucket = series.buckets.at(-1)
    if (bucket === undefined || bucket.end !== end) {
      bucket = emptyBucket(end)
      series.buckets.push(bucket)
    }
    count(bucket, row, story)
    this.#active.add(row.instrument)
  }

  #seriesOf(id: string): Series {
    const known = this.#series.get(id)
    if (known !== undefined) return known
    const baseline = emptyBaseline(this.#taught, this.#options.volume)
    const series = { baseline, buckets: [], rule: initialState }
    this.#series.set(id, series)
    return series
  }

  #evaluate(end: number): AlertEvent[] {
    const options = this.#options.volume
    // A market without a single post is a silent source: it says nothing about an instrument.
    const teaches = end - this.#lastPosts < this.#windowMs
    for (const series of this.#series.values())
      series.baseline = caughtUp(series.baseline, this.#taught, options)
    const pool = poolOf([...this.#series.values()].map(({ baseline }) => baseline))
    const events: AlertEvent[] = []
    for (const id of [...this.#active].sort()) {
      const series = this.#seriesOf(id)
      series.buckets = series.buckets.filter((bucket) => bucket.end > end - this.#windowMs)
      const window = sumOf(series.buckets)
      const judgement = judge(window, series.baseline, pool, options)
      const step = transition(series.rule, judgement, end, { calmBuckets: options.overlap })
      if (step.emit !== null)
        events.push(this.#event(id, series.rule, step, step.emit, judgement, window, end))
      series.rule = step.next
      if (teaches)
        series.baseline =
          judgement.lesson === null
            ? unlearned(series.baseline)
            : learned(series.baseline, judgement.lesson, options)
      if (series.buckets.length === 0 && !isOpen(series.rule)) this.#active.delete(id)
    }
    if (teaches) this.#taught += 1
    return events
  }

  #forgetNegligible(): void {
    for (const [id, series] of this.#series)
      if (!this.#active.has(id) && isNegligible(series.baseline)) this.#series.delete(id)
  }

  #event(
    instrument: string,
    previous: RuleState,
    step: Transition,
    state: AlertState,
    judgement: Judgement,
    window: Window,
    end: number,
  ): AlertEvent {
    const startedAt = new Date(step.next.startedAt).toISOString()
    const at = new Date(end).toISOString()
    const alertId = shortHash(ruleName, instrument, startedAt)
    return {
      id: shortHash(alertId, state, at),
      alertId,
      rule: ruleName,
      instrument,
      instrumentName: this.#options.instrumentName(instrument),
      state,
      previousState: previous.state,
      reason: step.reason,
      at,
      startedAt,
      evidence: {
        windowStart: new Date(end - this.#windowMs).toISOString(),
        windowEnd: at,
        ...explain(judgement, window),
      },
      texts: [...window.texts],
      link: `${this.#options.publicUrl}/#/alerts/${alertId}`,
    }
  }
}

const shortHash = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)
