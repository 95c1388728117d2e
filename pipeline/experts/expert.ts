/** An expert: a classifier for one or more tasks, as in "prediction with expert advice". */
import type { AppError } from '../../infra/errors.ts'
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'

export interface ExpertInput {
  /** Calibration differs by kind: the same words mean less in news than in comments. */
  readonly kind: Post['kind']
  readonly text: string
  readonly title: string
}

/** Calibrated probabilities by task, in the order of the task's labels, summing to 1; a task the expert does not judge is absent. */
export type ExpertOutput = Readonly<Partial<Record<Task, readonly number[]>>>

/** A text that ended or broke the process which read it, or on which an expert throws, twice and alone: it must not be read again. */
export interface Lethal {
  /** For people; holds nothing of the text. */
  readonly lethal: string
  /** Who throws, and what; its words may quote the text. */
  readonly expert?: string
  readonly error?: unknown
}

export function isLethal(answer: object): answer is Lethal {
  return 'lethal' in answer
}

/** How urgent a call is. Experts that answer at once look at none of it. */
export interface Call {
  /** Live posts are read before history, whatever came first. */
  readonly priority: 'live' | 'history'
  /** From now: what is not begun by then fails with DEADLINE. */
  readonly withinMs: number
}

/** Since an expert was loaded. */
export interface Spent {
  readonly texts: number
  /** UTF-16 units of these texts, titles included. */
  readonly characters: number
  /** Of one core, or of the device where there is one. */
  readonly computeMs: number
}

export interface Expert {
  readonly name: string
  readonly version: string
  readonly tasks: readonly Task[]
  /** Its heads share one run, in processes of its own. */
  readonly isEncoder?: boolean
  /**
   * One answer an input, in order. An input's probabilities never depend on the others in the batch.
   * Rejects with OVERLOADED when the expert's queue is full, DEADLINE when it could not begin in time (both retryable), or what broke it.
   */
  classify(batch: readonly ExpertInput[], call?: Call): Promise<readonly (ExpertOutput | Lethal)[]>
  /** Why it cannot answer now and will not soon; undefined when it can. Without it: always can. */
  health?(): AppError | undefined
  /** What its own processes computed. Without it: it computes in the thread that calls it, before `classify` returns. */
  spent?(): Spent
  close(): Promise<void>
}
