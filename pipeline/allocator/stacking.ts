/**
 * Stacking (Wolpert 1992): a multinomial logistic regression on the experts' log-probabilities, fitted on predictions of texts that the experts did not
 * learn from. The logit of a label is made of the experts' log-probabilities of that same label (StackingC, Seewald 2002): with 20 labels the
 * full matrix has more parameters than a fit has rows. z_k = b_k + sum of a_ik log p_i(k). With a_ik the experts' weights and b = 0 it is
 * the logarithmic opinion pool, towards which the fit is drawn.
 */
import Type, { type Static } from 'typebox'
import { kinds, type Post } from '../../ingest/contract.ts'
import { type Task, tasks } from '../contract.ts'
import { logarithms, softmax } from '../experts/probabilities.ts'
import type { Opinion } from './average.ts'
import { expertSet } from './expert-set.ts'

/** Far beyond what a fit finds; what overflows 32 bits would make results that are no numbers. */
const largest = 1e6
const Numbers = Type.Array(Type.Number({ minimum: -largest, maximum: largest }))

/** Numbers are used as 32-bit floats, as those of a row are. */
export const StackingModel = Type.Object({
  task: Type.Enum(tasks),
  kind: Type.Enum(kinds),
  /** Of these experts and no other; a number a label for each. */
  weights: Type.Record(Type.String(), Numbers),
  /** One a label. */
  biases: Numbers,
  /** Of the fit: how strongly labels are drawn to weights that they share. */
  penalty: Type.Number({ minimum: 0 }),
  rows: Type.Integer({ minimum: 0 }),
})
export type StackingModel = Static<typeof StackingModel>

export interface StackingContext {
  readonly task: Task
  readonly kind: Post['kind']
}

/** By task, kind and set of experts. */
export interface Stacking {
  /** Experts in any order. Undefined where nothing was fitted for exactly these. */
  modelOf(context: StackingContext, experts: readonly string[]): StackingModel | undefined
}

/** Of two models for the same the last one counts. */
export function createStacking(models: readonly StackingModel[]): Stacking {
  const byKey = new Map(
    models.map((model) => [keyOf(model, Object.keys(model.weights)), in32Bits(model)]),
  )
  return { modelOf: (context, experts) => byKey.get(keyOf(context, experts)) }
}

/** A distribution. The opinions are those of the model's experts, in any order: the sum is taken in the model's. */
export function stacked(
  opinions: readonly Omit<Opinion, 'weight'>[],
  { weights, biases }: Pick<StackingModel, 'weights' | 'biases'>,
): number[] {
  const logits = [...biases]
  for (const [expert, ofLabels] of Object.entries(weights)) {
    const opinion = opinions.find((one) => one.expert === expert)
    logarithms(opinion?.probabilities ?? []).forEach((logarithm, label) => {
      logits[label] = (logits[label] ?? 0) + (ofLabels[label] ?? 0) * logarithm
    })
  }
  return softmax(logits)
}

function in32Bits(model: StackingModel): StackingModel {
  const weights = Object.entries(model.weights).map(([expert, ofLabels]) => [
    expert,
    ofLabels.map(Math.fround),
  ])
  return {
    ...model,
    weights: Object.fromEntries(weights),
    biases: model.biases.map(Math.fround),
  }
}

function keyOf({ task, kind }: StackingContext, experts: readonly string[]): string {
  return `${task}/${kind}/${expertSet(experts)}`
}
