/**
 * What an allocator decides: which experts run on a post, one stage after another, and with which weights they are fused. A plan is made for each
 * post; the analyst asks it who is next until nobody is.
 */
import type { Post } from '../../ingest/contract.ts'
import type { FusionMethod, Strategy, Task } from '../contract.ts'
import type { ExpertOutput } from '../experts/expert.ts'

/** What an allocation may depend on before any expert has run. Random choices are a hash of the position, so a replay makes the same ones. */
export interface AllocationContext {
  readonly source: string
  readonly kind: Post['kind']
  readonly language: string
  /** UTF-16 units of text and title. */
  readonly textLength: number
  readonly position: {
    readonly logTopic: string
    readonly partition: number
    readonly offset: number
  }
}

/** What an expert that was asked said; undefined where it failed, was cut off, or was too late. */
export type Heard = ReadonlyMap<string, ExpertOutput | undefined>

export interface Plan {
  readonly strategy: Strategy
  readonly fusion: FusionMethod
  /** Offset of `feedback` that the weights include; -1 for none. */
  readonly weightsVersion: number
  /** Experts that may run on this post, in the order of the columns; those that did not run stand in the row too, with `ran` false. */
  readonly experts: readonly string[]
  /** Experts that are only listened to on this post: without effect on the result, and no fault of theirs is one of the post. Empty for most posts. */
  readonly shadows: readonly string[]
  /** Whom to ask next: experts not in `heard` yet; empty when enough are heard. Pure: the same `heard` gives the same answer. */
  next(heard: Heard): readonly string[]
  /** In the fusion, before renormalisation over the experts that ran. */
  weight(expert: string, task: Task): number
  /** P(it runs on a post that looks like this one did before the draw): 1 unless a random share decided. Over (0, 1] for an expert that ran. */
  runProbability(expert: string, heard: Heard): number
  /** Experts were left out for want of time that the budget would have paid for. */
  isDegraded(heard: Heard): boolean
}

export interface Allocator {
  plan(context: AllocationContext): Plan
}
