/** A labelled text of one task with what the experts say of it: what everything after them is fitted on. */
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'

/** What is held out together, and what counts as one piece of evidence. */
export interface Grouped {
  /** Of cross-validation; near-duplicates share one. */
  readonly fold: number
  /** Of near-duplicates. */
  readonly cluster: number
}

export interface Judged extends Grouped {
  readonly task: Task
  readonly kind: Post['kind']
  /** Index of the true label. */
  readonly label: number
  /** Calibrated, by expert. */
  readonly opinions: Readonly<Record<string, readonly number[]>>
}
