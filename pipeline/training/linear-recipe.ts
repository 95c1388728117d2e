/** How the linear expert is made. Chosen without `fit` and `report`; the comparisons are in docs/decisions/0011-linear-expert.md. */
import type { Post } from '../../ingest/contract.ts'
import { sentiments, type Task, topicLabels } from '../contract.ts'
import type { LinearParameters } from '../experts/linear-model.ts'
import type { NgramSpec } from '../experts/ngrams.ts'
import { cleanOpening } from '../text/clean.ts'
import type { Example } from './dataset.ts'
import {
  bucketValues,
  type HeadOptions,
  headLogits,
  type TrainedHead,
  toDocuments,
  trainHead,
} from './linear-trainer.ts'

export const ngrams: NgramSpec = {
  wordBits: 18,
  charBits: 17,
  wordLength: 2,
  pairGap: 3,
  charFrom: 3,
  charTo: 5,
}
const wordWeight = 1.5
/** Weight of a headline of SEntFiN beside a tweet, in the sentiment head: another register, labelled by entity. */
const headlineWeight = 0.3

const headOptions: Readonly<Record<Task, HeadOptions>> = {
  sentiment: { labels: sentiments.length, epochs: 5, learningRate: 0.2, balance: 0.5, seed: 1 },
  topic: { labels: topicLabels.length, epochs: 10, learningRate: 0.6, balance: 0.5, seed: 1 },
}

/** Unquantised: heads by task over the values that they share. */
export interface TrainedLinear {
  readonly values: Uint8Array
  readonly heads: ReadonlyMap<Task, TrainedHead>
}

/** The same examples and tasks give the same model, bit for bit. */
export function trainLinear(examples: readonly Example[], tasks: readonly Task[]): TrainedLinear {
  const documents = toDocuments(
    examples.map(({ text }) => cleanOpening(text)),
    ngrams,
  )
  const values = bucketValues(documents, ngrams, wordWeight)
  const heads = tasks.map((task): [Task, TrainedHead] => {
    const labelled = examples.flatMap((example, i) => {
      const document = documents[i]
      if (document === undefined || example[task] < 0) return []
      const weight = example.source === 'headlines' ? headlineWeight : 1
      return [{ document, label: example[task], weight }]
    })
    return [task, trainHead(labelled, values, headOptions[task])]
  })
  return { values, heads: new Map(heads) }
}

/** Uncalibrated logits of each text. */
export function linearLogits(
  { values, heads }: TrainedLinear,
  task: Task,
  texts: readonly string[],
): Float64Array[] {
  const head = heads.get(task)
  if (head === undefined) throw new RangeError(`The model has no head for ${task}`)
  return toDocuments(
    texts.map((text) => cleanOpening(text)),
    ngrams,
  ).map((document) => headLogits(document, values, head))
}

/** Weights to signed bytes with one scale a label, side by side with the buckets' values. */
export function quantised(
  { values, heads }: TrainedLinear,
  temperatures: ReadonlyMap<Task, Readonly<Record<Post['kind'], number>>>,
): LinearParameters {
  const columns = [...heads.values()].reduce((sum, head) => sum + head.biases.length, 0)
  const table = new Int8Array(values.length * (columns + 1))
  values.forEach((value, bucket) => {
    table[bucket * (columns + 1) + columns] = value
  })
  let column = 0
  const quantisedHeads = [...heads].map(([task, head]) => {
    const labels = head.biases.length
    const scales = Array.from({ length: labels }, (_, k) => largest(head.weights, labels, k) / 127)
    for (let bucket = 0; bucket < values.length; bucket++)
      for (let k = 0; k < labels; k++) {
        const weight = head.weights[bucket * labels + k] ?? 0
        table[bucket * (columns + 1) + column + k] = Math.round(weight / (scales[k] || 1))
      }
    column += labels
    return {
      task,
      labels,
      biases: Array.from(head.biases),
      scales,
      temperatures: temperatures.get(task) ?? { news: 1, comment: 1 },
    }
  })
  return { ngrams, heads: quantisedHeads, table }
}

function largest(weights: Float32Array, labels: number, k: number): number {
  let found = 0
  for (let at = k; at < weights.length; at += labels)
    found = Math.max(found, Math.abs(weights[at] ?? 0))
  return found
}
