/** Weights of experts by context, as the labels read so far leave them. */
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'

export interface WeightContext {
  readonly task: Task
  readonly kind: Post['kind']
  readonly language: string
  /** UTF-16 units of text and title. */
  readonly textLength: number
}

export interface WeightBook {
  /** Offset of the last record of `feedback` that it includes; -1 for none. */
  readonly version: number
  /** By name of the experts that judge the task; they sum to 1. */
  weights(context: WeightContext): Readonly<Record<string, number>>
}
