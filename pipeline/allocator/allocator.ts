/** Which experts run on a post, and with which weights. One strategy for now: `static`, fixed weights from the config. */
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'

/** What an allocation may depend on. Random choices are a hash of the position, so a replay makes the same ones. */
export interface AllocationContext {
  readonly kind: Post['kind']
  readonly language: string
  readonly textLength: number
  readonly position: {
    readonly logTopic: string
    readonly partition: number
    readonly offset: number
  }
}

export interface Assignment {
  readonly expert: string
  readonly task: Task
  /** Before renormalisation over the experts that ran. */
  readonly weight: number
  /** The probability with which the expert was chosen to run: 1 unless a random share explores. */
  readonly runProbability: number
}

export interface Allocation {
  readonly strategy: 'static' | 'dynamic' | 'multitask'
  readonly assignments: readonly Assignment[]
  /** Shed to cheap experts under overload. */
  readonly degraded: boolean
  /** Offset of `feedback` that the weights include; -1 for none. */
  readonly weightsVersion: number
}

export interface Allocator {
  allocate(context: AllocationContext): Allocation
}
