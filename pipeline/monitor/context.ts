/** The signals of posts of one kind and language, each with its detector; and which of their shifts are one change. */
import type { Post } from '../../ingest/contract.ts'
import { type DetectorState, type Shift, ShiftDetector, shiftThreshold } from './shift-detector.ts'
import type { Signal } from './signals.ts'

/** 1,000 posts to learn from, then the last 500. Why these: docs/decisions/0076-label-free-monitor.md. */
const blockPosts = 25
const referenceBlocks = 40
const windowBlocks = 20
/** Wanted where nothing changes: one a context in so many posts. */
const postsAFalseAlarm = 100_000

export interface ShiftedSignal extends Shift {
  readonly signal: string
}

export interface ContextStatus {
  readonly kind: Post['kind']
  /** 'any': of posts in any language. */
  readonly language: string
  /** Since the start. */
  readonly posts: number
  readonly signals: readonly (DetectorState & { readonly signal: string })[]
  /** The last change: what shifted within one window of its first sign. */
  readonly lastChange:
    | { readonly atPost: number; readonly signals: readonly ShiftedSignal[] }
    | undefined
}

export class MonitorContext {
  readonly kind: Post['kind']
  readonly language: string
  readonly #signals: readonly Signal[]
  readonly #detectors: readonly ShiftDetector[]
  #posts = 0
  #lastChange: { readonly atPost: number; signals: readonly ShiftedSignal[] } | undefined

  constructor(kind: Post['kind'], language: string, signals: readonly Signal[]) {
    this.kind = kind
    this.language = language
    this.#signals = signals
    const falseAlarms = blockPosts / postsAFalseAlarm
    const threshold = shiftThreshold({ falseAlarms, tests: signals.length, referenceBlocks })
    this.#detectors = signals.map(
      ({ leastDeviation }) =>
        new ShiftDetector({ blockPosts, referenceBlocks, windowBlocks, threshold, leastDeviation }),
    )
  }

  /** What a change is first seen by; what else shifts within a window of it is the same change, and told by the status alone. */
  observe(values: readonly (number | undefined)[]): readonly ShiftedSignal[] | undefined {
    this.#posts++
    const shifted = values.flatMap((value, i): ShiftedSignal[] => {
      const shift = value === undefined ? undefined : this.#detectors[i]?.observe(value)
      return shift === undefined ? [] : [{ signal: this.#signals[i]?.name ?? '', ...shift }]
    })
    if (shifted.length === 0) return undefined
    const last = this.#lastChange
    if (last !== undefined && this.#posts - last.atPost <= blockPosts * windowBlocks) {
      last.signals = [...last.signals, ...shifted]
      return undefined
    }
    this.#lastChange = { atPost: this.#posts, signals: shifted }
    return shifted
  }

  status(): ContextStatus {
    return {
      kind: this.kind,
      language: this.language,
      posts: this.#posts,
      signals: this.#signals.flatMap(({ name }, i) => {
        const state = this.#detectors[i]?.state
        return state === undefined ? [] : [{ signal: name, ...state }]
      }),
      lastChange: this.#lastChange && { ...this.#lastChange },
    }
  }
}
