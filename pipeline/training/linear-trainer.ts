/** Trains one head of the linear expert: multinomial logistic regression by Adagrad, one example a step, seeded. */
import { seededRandom } from '../../infra/seeded-random.ts'
import { bucketCount, NgramExtractor, type NgramSpec } from '../experts/ngrams.ts'
import { softmax } from '../experts/probabilities.ts'

/** A text as its n-grams. */
export type Document = Int32Array

export interface HeadOptions {
  readonly labels: number
  readonly epochs: number
  /** Falls linearly to 0 over the epochs. */
  readonly learningRate: number
  /** Weight of an example of class k: (n / labels / n_k) ^ balance. */
  readonly balance: number
  readonly seed: number
}

export interface LabelledDocument {
  readonly document: Document
  readonly label: number
  readonly weight: number
}

export interface TrainedHead {
  /** A row a bucket, one value a label. */
  readonly weights: Float32Array
  readonly biases: Float64Array
}

export function toDocuments(cleaned: readonly string[], spec: NgramSpec): Document[] {
  const extractor = new NgramExtractor(spec)
  return cleaned.map((text) => {
    extractor.extract(text)
    return extractor.buckets.slice(0, extractor.count)
  })
}

const valueStep = 1 / 8

/**
 * Value of each bucket in whole steps (1 to 255): `log((n + 1) / (documents with it + 1))`, times `wordWeight` in the buckets of words.
 * An unseen bucket gets the largest value: it adds nothing to the logits, but it lowers the confidence.
 */
export function bucketValues(
  documents: readonly Document[],
  spec: NgramSpec,
  wordWeight: number,
): Uint8Array {
  const seenIn = new Int32Array(bucketCount(spec)).fill(-1)
  const frequency = new Int32Array(bucketCount(spec))
  documents.forEach((document, index) => {
    for (const bucket of document) {
      if (seenIn[bucket] === index) continue
      seenIn[bucket] = index
      frequency[bucket] = (frequency[bucket] ?? 0) + 1
    }
  })
  const words = 2 ** spec.wordBits
  return Uint8Array.from(frequency, (count, bucket) => {
    const inverse = Math.log((documents.length + 1) / (count + 1))
    const value = inverse * (bucket < words ? wordWeight : 1)
    return Math.min(255, Math.max(1, Math.round(value / valueStep)))
  })
}

export function trainHead(
  examples: readonly LabelledDocument[],
  values: Uint8Array,
  options: HeadOptions,
): TrainedHead {
  const { labels } = options
  const weights = new Float32Array(values.length * labels)
  const squares = new Float32Array(values.length * labels).fill(1e-3)
  const biases = new Float64Array(labels)
  const classWeights = balancedWeights(examples, options)
  const random = seededRandom(options.seed)
  const order = examples.map((_, i) => i)

  for (let epoch = 0; epoch < options.epochs; epoch++) {
    shuffle(order, random)
    const rate = options.learningRate * (1 - epoch / options.epochs)
    for (const index of order) {
      const example = examples[index]
      if (example === undefined) continue
      const { document, label } = example
      const norm = documentNorm(document, values)
      const gradients = softmax(headLogits(document, values, { weights, biases }, norm))
      gradients[label] = (gradients[label] ?? 0) - 1
      const importance = (classWeights[label] ?? 1) * example.weight
      for (let k = 0; k < labels; k++) {
        const gradient = (gradients[k] ?? 0) * importance
        gradients[k] = gradient
        biases[k] = (biases[k] ?? 0) - biasRate * rate * gradient
      }
      for (const bucket of document) {
        const value = (values[bucket] ?? 0) / norm
        const row = bucket * labels
        for (let k = 0; k < labels; k++) {
          const gradient = (gradients[k] ?? 0) * value
          const square = (squares[row + k] ?? 0) + gradient * gradient
          squares[row + k] = square
          weights[row + k] = (weights[row + k] ?? 0) - (rate * gradient) / Math.sqrt(square)
        }
      }
    }
  }
  return { weights, biases }
}

/** Biases move by plain gradient steps of this share of the rate: Adagrad would let the first examples decide them. */
const biasRate = 0.02

export function headLogits(
  document: Document,
  values: Uint8Array,
  { weights, biases }: TrainedHead,
  norm: number = documentNorm(document, values),
): Float64Array {
  const logits = Float64Array.from(biases)
  for (const bucket of document) {
    const value = (values[bucket] ?? 0) / norm
    const row = bucket * logits.length
    for (let k = 0; k < logits.length; k++)
      logits[k] = (logits[k] ?? 0) + value * (weights[row + k] ?? 0)
  }
  return logits
}

function documentNorm(document: Document, values: Uint8Array): number {
  let sum = 0
  for (const bucket of document) sum += (values[bucket] ?? 0) ** 2
  return sum === 0 ? 1 : Math.sqrt(sum)
}

function balancedWeights(examples: readonly LabelledDocument[], options: HeadOptions): number[] {
  const counts = new Array<number>(options.labels).fill(0)
  for (const { label } of examples) counts[label] = (counts[label] ?? 0) + 1
  return counts.map(
    (count) => (examples.length / options.labels / Math.max(1, count)) ** options.balance,
  )
}

function shuffle(order: number[], random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a = 0, b = 0] = [order[i], order[j]]
    order[i] = b
    order[j] = a
  }
}
