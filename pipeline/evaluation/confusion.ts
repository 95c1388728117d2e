/** Figures of each label, from the confusion matrix. */
import type { Tally } from './tally.ts'

export interface LabelFigures {
  /** 0 where the label was never answered, as in scikit-learn. */
  readonly precision: number
  /** 0 where the label never was the truth. */
  readonly recall: number
  readonly f1: number
  /** Rows of which it is the truth. */
  readonly support: number
  /** Rows of which it is the answer. */
  readonly answers: number
}

/** Rows by truth (outer) and answer (inner). */
export function confusionMatrix({ cells, labels }: Tally): number[][] {
  return Array.from({ length: labels }, (_, truth) =>
    Array.from(cells.subarray(truth * labels, (truth + 1) * labels)),
  )
}

/** In the order of the labels. */
export function labelFigures({ cells, labels }: Tally): LabelFigures[] {
  const support = new Float64Array(labels)
  const answers = new Float64Array(labels)
  for (let truth = 0; truth < labels; truth++)
    for (let answer = 0; answer < labels; answer++) {
      const rows = cells[truth * labels + answer] ?? 0
      support[truth] = (support[truth] ?? 0) + rows
      answers[answer] = (answers[answer] ?? 0) + rows
    }
  return Array.from(support, (truths, label) => {
    const right = cells[label * labels + label] ?? 0
    const answered = answers[label] ?? 0
    return {
      precision: share(right, answered),
      recall: share(right, truths),
      f1: share(2 * right, truths + answered),
      support: truths,
      answers: answered,
    }
  })
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
