/**
 * The alert state as a fold: closed buckets and baseline seeds in, events out. No clock, no store, no randomness: equal
 * input gives equal events and an equal state.
 */
import { createHash } from 'node:crypto'
import type { AlertEvent, AlertState, AlertText } from './contract.ts'
import {
  type Baseline,
  caughtUp,
  emptyBaseline,
  isNegligible,
  learned,
  type Pool,
  poolOf,
  unlearned,
} from './detectors/baseline.ts'
import {
  explain,
  type Judgement,
  judge,
  loudest,
  ruleName,
  type VolumeOptions,
} from './detectors/volume.ts'
import {
  initialState,
  isOpen,
  type RuleState,
  type StateOptions,
  type Transition,
  transition,
} from './states.ts'
import { type SavedStory, StoryIndex, type StoryOptions } from './stories.ts'
import {
  type Bucket,
  count,
  countRepeat,
  emptyBucket,
  type MentionRow,
  positionOf,
  sumOf,
  textsOf,
  type Window,
} from './window.ts'

export interface FoldOptions {
  readonly bucketMs: number
  readonly stories: StoryOptions
  readonly volume: VolumeOptions
  readonly states: StateOptions
  publicUrl(): string
  instrumentName(id: string): string
}

interface Series {
  /** One a window length. */
  baselines: Baseline[]
  /** Buckets of the window that hold posts, oldest first. */
  buckets: Bucket[]
  rule: RuleState
}

export interface FoldSnapshot {
  readonly taught: readonly number[]
  readonly lastPosts: number
  readonly since: number
  readonly series: readonly (readonly [string, Series])[]
  readonly stories: readonly SavedStory[]
}

export class AlertFold {
  readonly #options: FoldOptions
  readonly #lengths: readonly number[]
  readonly #longestMs: number
  #series = new Map<string, Series>()
  /** Series that must be looked at in every bucket: with posts in the longest window, or an open alert. */
  #active = new Set<string>()
  #stories: StoryIndex
  /** Windows that taught the baselines so far, by length. */
  #taught: number[]
  /** End of the newest bucket that held a post of any instrument. */
  #lastPosts = 0
  /** When watching began: the start of the first bucket with a post; 0 before it. */
  #since = 0

  constructor(options: FoldOptions, snapshot?: FoldSnapshot) {
    this.#options = options
    this.#lengths = options.volume.windows
    this.#longestMs = Math.max(...this.#lengths) * options.bucketMs
    this.#stories = new StoryIndex(options.stories, snapshot?.stories)
    this.#taught = [...(snapshot?.taught ?? this.#lengths.map(() => 0))]
    if (snapshot === undefined) return
    this.#lastPosts = snapshot.lastPosts
    this.#since = snapshot.since
    this.#series = new Map(structuredClone(snapshot.series) as [string, Series][])
    for (const [id, series] of this.#series)
      if (series.buckets.length > 0 || isOpen(series.rule)) this.#active.add(id)
  }

  snapshot(): FoldSnapshot {
    return {
      taught: [...this.#taught],
      lastPosts: this.#lastPosts,
      since: this.#since,
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
    if (rows.length > 0) {
      this.#lastPosts = end
      if (this.#since === 0) this.#since = end - this.#options.bucketMs
    }
    const events = this.#evaluate(end)
    this.#forgetNegligible()
    return events
  }

  /** Replaces what is known of the past by history: `buckets` in order of time, none of which raises anything. */
  async seed(buckets: AsyncIterable<{ end: number; rows: readonly MentionRow[] }>): Promise<void> {
    const past = new AlertFold(this.#options)
    for await (const { end, rows } of buckets) past.closeBucket(end, rows)
    const seeded = new Map<string, Series>()
    for (const [id, { baselines }] of past.#series)
      seeded.set(id, { baselines, buckets: [], rule: initialState })
    for (const id of this.#active) {
      const open = this.#series.get(id)
      if (open === undefined) continue
      const baselines = seeded.get(id)?.baselines ?? past.#emptyBaselines()
      seeded.set(id, { ...open, baselines })
    }
    this.#series = seeded
    this.#stories = past.#stories
    this.#taught = past.#taught
    if (this.isIdle) this.#since = 0
  }

  /** Goes on from what another fold learned and saw: only alerts that are open stay as they are. It must have closed the same buckets. */
  adopt(past: AlertFold): void {
    const adopted = new Map<string, Series>()
    for (const [id, { baselines, buckets }] of past.#series)
      adopted.set(id, { baselines, buckets, rule: initialState })
    for (const [id, { rule }] of this.#series) {
      if (!isOpen(rule)) continue
      const { baselines, buckets } = adopted.get(id) ?? {
        baselines: past.#emptyBaselines(),
        buckets: [],
      }
      adopted.set(id, { baselines, buckets, rule })
    }
    this.#series = adopted
    this.#active = new Set(
      [...adopted].flatMap(([id, { buckets, rule }]) =>
        buckets.length > 0 || isOpen(rule) ? [id] : [],
      ),
    )
    this.#stories = past.#stories
    this.#taught = past.#taught
    this.#lastPosts = past.#lastPosts
    this.#since = past.#since
  }

  #count(end: number, row: MentionRow): void {
    const { signature, content_hash: contentHash } = row
    const story = this.#stories.observe({ position: positionOf(row), signature, contentHash }, end)
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

  #emptyBaselines(): Baseline[] {
    return this.#taught.map((taught) => emptyBaseline(taught, this.#options.volume))
  }

  #seriesOf(id: string): Series {
    const known = this.#series.get(id)
    if (known !== undefined) return known
    const series = { baselines: this.#emptyBaselines(), buckets: [], rule: initialState }
    this.#series.set(id, series)
    return series
  }

  #evaluate(end: number): AlertEvent[] {
    for (const series of this.#series.values())
      series.baselines = series.baselines.map((baseline, index) =>
        caughtUp(baseline, this.#taught[index] ?? 0, this.#options.volume),
      )
    const looks = this.#lengths.map((length, index) => this.#look(end, length, index))
    const events: AlertEvent[] = []
    for (const id of [...this.#active].sort()) {
      const event = this.#evaluateSeries(id, looks, end)
      if (event !== undefined) events.push(event)
    }
    for (const [index, look] of looks.entries())
      if (look.teaches) this.#taught[index] = (this.#taught[index] ?? 0) + 1
    return events
  }

  /** What all series share in judging windows of one length. */
  #look(end: number, length: number, index: number): Look {
    const from = end - length * this.#options.bucketMs
    const watched = this.#since === 0 ? 0 : Math.max(0, end - Math.max(from, this.#since))
    const baselines = [...this.#series.values()].flatMap((series) => series.baselines[index] ?? [])
    return {
      length,
      from,
      coverage: Math.max(this.#options.bucketMs, watched) / (end - from),
      // A market without a single post is a silent source: it says nothing about an instrument.
      teaches: this.#lastPosts > from && this.#since <= from,
      pool: poolOf(baselines),
    }
  }

  #evaluateSeries(id: string, looks: readonly Look[], end: number): AlertEvent | undefined {
    const series = this.#seriesOf(id)
    series.buckets = series.buckets.filter((bucket) => bucket.end > end - this.#longestMs)
    const held = looks.map(({ from }) => series.buckets.filter((bucket) => bucket.end > from))
    const windows = held.map(sumOf)
    const judgements = looks.map(({ length, coverage, pool }, index) =>
      judge(
        {
          window: windows[index] ?? sumOf([]),
          length,
          coverage,
          pool,
          baseline: series.baselines[index] ?? emptyBaseline(0, this.#options.volume),
        },
        this.#options.volume,
      ),
    )
    const best = loudest(judgements)
    const [judgement, window, look] = [judgements[best], windows[best], looks[best]]
    if (judgement === undefined || window === undefined || look === undefined) return undefined
    const previous = series.rule
    const step = transition(previous, judgement, end, this.#options.states)
    series.rule = step.next
    this.#teach(series, judgements, looks)
    if (series.buckets.length === 0 && !isOpen(series.rule)) this.#active.delete(id)
    if (step.emit === null) return undefined
    const texts = textsOf(held[best] ?? [])
    const seen = { judgement, window, texts, from: look.from, end }
    return this.#event(id, previous, step, step.emit, seen)
  }

  /** A window that is too unusual at any length teaches none. */
  #teach(series: Series, judgements: readonly Judgement[], looks: readonly Look[]): void {
    const isUsual = judgements.every(({ lesson }) => lesson !== null)
    series.baselines = series.baselines.map((baseline, index) => {
      const lesson = judgements[index]?.lesson
      if (!looks[index]?.teaches) return baseline
      return isUsual && lesson
        ? learned(baseline, lesson, this.#options.volume)
        : unlearned(baseline)
    })
  }

  #forgetNegligible(): void {
    for (const [id, series] of this.#series)
      if (!this.#active.has(id) && series.baselines.every(isNegligible)) this.#series.delete(id)
  }

  #event(
    instrument: string,
    previous: RuleState,
    step: Transition,
    state: AlertState,
    seen: {
      judgement: Judgement
      window: Window
      texts: AlertText[]
      from: number
      end: number
    },
  ): AlertEvent {
    const startedAt = new Date(step.next.startedAt).toISOString()
    const at = new Date(seen.end).toISOString()
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
        windowStart: new Date(seen.from).toISOString(),
        windowEnd: at,
        ...explain(seen.judgement, seen.window),
      },
      texts: seen.texts,
      link: `${this.#options.publicUrl()}/#/alerts/${alertId}`,
    }
  }
}

interface Look {
  readonly length: number
  /** Start of the window. */
  readonly from: number
  readonly coverage: number
  readonly teaches: boolean
  readonly pool: Pool
}

const shortHash = (...parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)
