/** An expert: a classifier for one or more tasks, as in "prediction with expert advice". */
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

export interface Expert {
  readonly name: string
  readonly version: string
  readonly tasks: readonly Task[]
  /** One output an input, in order. An input's probabilities never depend on the others in the batch. */
  classify(batch: readonly ExpertInput[]): Promise<readonly ExpertOutput[]>
  close(): Promise<void>
}
