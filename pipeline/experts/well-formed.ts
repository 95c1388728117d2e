/** Whether an expert kept its contract: what it says enters rows for good. */
import { sentiments, type Task, tasks, topicLabels } from '../contract.ts'
import { type ExpertOutput, isLethal, type Lethal } from './expert.ts'

const labelCounts: Readonly<Record<Task, number>> = {
  sentiment: sentiments.length,
  topic: topicLabels.length,
}

/** The answers to so many texts. Throws RangeError when one of them is no distribution, or one is missing. */
export function wellFormed<A extends ExpertOutput | Lethal>(
  answers: readonly A[],
  texts: number,
): readonly A[] {
  if (answers.length !== texts || !answers.every(isWellFormed))
    throw new RangeError('The answer has another shape than one distribution a text and task')
  return answers
}

function isWellFormed(output: ExpertOutput | Lethal): boolean {
  if (isLethal(output)) return true
  return tasks.every((task) => {
    const probabilities = output[task]
    if (probabilities === undefined) return true
    const sum = probabilities.reduce((total, p) => total + p, 0)
    return (
      probabilities.length === labelCounts[task] &&
      probabilities.every((p) => p >= 0) &&
      Math.abs(sum - 1) < 1e-6
    )
  })
}
