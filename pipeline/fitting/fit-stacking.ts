/**
 * Fits the stacking of experts: the log-loss plus (penalty/2) (sum of d_ik^2 + sum of b_k^2) + (1/2) sum of (a_i - w_i)^2, where the weight of expert i on
 * label k is a_i + d_ik. So a large penalty leaves one weight an expert, a logarithmic opinion pool, and without rows the static weights w are
 * left. Convex.
 */
import { renormalised } from '../allocator/average.ts'
import { createStacking, type Stacking, type StackingModel } from '../allocator/stacking.ts'
import type { FusionMethod } from '../contract.ts'
import { rounded } from '../evaluation/metrics.ts'
import { logarithms } from '../experts/probabilities.ts'
import { crossFit } from './cross-fit.ts'
import { expertsOf, fusedLogits, type Weights } from './fusion-weights.ts'
import type { Judged } from './judged.ts'
import { LogitTable, type Scored } from './logit-table.ts'
import { minimise, type Point } from './minimise.ts'

/** Tried in this order; of equals the first. Fewer than a tenfold apart differ by less than noise. */
const penalties = [1_000, 100, 10, 1] as const

/** Of stacking that of the least log-loss on held-out rows; no other method has one. */
export function penaltyOf(method: FusionMethod, rows: readonly Judged[], weights: Weights): number {
  return method === 'stacking' ? choosePenalty(rows, weights) : 0
}

export function choosePenalty(rows: readonly Judged[], weights: Weights): number {
  const lossOf = (penalty: number) => {
    const scored = heldOutStacking(rows, weights, penalty)
    return new LogitTable(scored).loss({ temperature: 1, biases: [] })
  }
  return penalties
    .map((penalty) => ({ penalty, loss: lossOf(penalty) }))
    .reduce((best, next) => (next.loss < best.loss ? next : best)).penalty
}

/** Each row by parameters that were fitted on the other folds. Rows of one task and kind. */
export function heldOutStacking(
  rows: readonly Judged[],
  weights: Weights,
  penalty: number,
): Scored[] {
  return crossFit(rows, (others) => {
    const stacking = stackingOf(others, weights, penalty)
    return (row: Judged) => fusedLogits(row, weights, 'stacking', stacking)
  })
}

/** What the method makes of each row before its temperature; stacking by parameters fitted on the other folds, as its own rows flatter it. */
export function heldOutLogits(
  method: FusionMethod,
  rows: readonly Judged[],
  weights: Weights,
  penalty: number,
): Scored[] {
  return method === 'stacking'
    ? heldOutStacking(rows, weights, penalty)
    : rows.map((row) => fusedLogits(row, weights, method))
}

/** For the experts that count with these weights: those of weight 0 are left out, as they are in the fusion. */
export function stackingOf(rows: readonly Judged[], weights: Weights, penalty: number): Stacking {
  if (rows.length === 0) return createStacking([])
  return createStacking([fitStacking(rows, countedWeights(weights, expertsOf(rows)), penalty)])
}

/** At least one row, all of one task and kind. Of the experts that have both a weight, which may be 0, and opinions. */
export function fitStacking(
  rows: readonly Judged[],
  weights: Weights,
  penalty: number,
): StackingModel {
  const [first] = rows
  if (first === undefined) throw new RangeError('Nothing to fit a stacking on')
  // Sorted: the model does not depend on their order.
  const experts = Object.keys(weights)
    .filter((expert) => first.opinions[expert] !== undefined)
    .sort()
  const prior = renormalised(experts.map((expert) => weights[expert] ?? 0))
  const table = new StackingTable(rows, experts)
  const { shared, own, biases } = table.parts(
    minimise((at) => table.cost(at, prior, penalty), table.start(prior)),
  )
  return {
    task: first.task,
    kind: first.kind,
    weights: Object.fromEntries(
      experts.map((expert, i) => [
        expert,
        Array.from(biases, (_, k) => rounded((shared[i] ?? 0) + (own[i * table.labels + k] ?? 0))),
      ]),
    ),
    biases: Array.from(biases, rounded),
    penalty,
    rows: rows.length,
  }
}

function countedWeights(weights: Weights, judging: readonly string[]): Weights {
  const present = Object.entries(weights).filter(([expert]) => judging.includes(expert))
  const counted = present.filter(([, weight]) => weight > 0)
  return Object.fromEntries(counted.length > 0 ? counted : present)
}

/** Log-probabilities as columns, because a fit reads them hundreds of times. */
class StackingTable {
  readonly labels: number
  readonly #experts: number
  /** [rows, experts, labels] */
  readonly #logs: Float64Array
  readonly #truths: Int32Array

  constructor(rows: readonly Judged[], experts: readonly string[]) {
    this.labels = rows[0]?.opinions[experts[0] ?? '']?.length ?? 0
    this.#experts = experts.length
    this.#truths = Int32Array.from(rows, ({ label }) => label)
    this.#logs = Float64Array.from(
      rows.flatMap(({ opinions }) =>
        experts.flatMap((expert) => logarithms(opinions[expert] ?? [])),
      ),
    )
  }

  start(prior: readonly number[]): Float64Array {
    return Float64Array.from([...prior, ...new Array(this.labels * (this.#experts + 1)).fill(0)])
  }

  /** A weight an expert, a deviation an expert and label, a bias a label. */
  parts(at: Float64Array) {
    const end = this.#experts * (1 + this.labels)
    return {
      shared: at.subarray(0, this.#experts),
      own: at.subarray(this.#experts, end),
      biases: at.subarray(end),
    }
  }

  /** Mean over the rows. */
  cost(at: Float64Array, prior: readonly number[], penalty: number): Point {
    const gradient = new Float64Array(at.length)
    const [here, slopes] = [this.parts(at), this.parts(gradient)]
    let sum = 0
    const charge = (value: number, aim: number, strength: number) => {
      sum += (strength * (value - aim) ** 2) / 2
      return strength * (value - aim)
    }
    here.shared.forEach((value, i) => {
      slopes.shared[i] = charge(value, prior[i] ?? 0, 1)
    })
    here.own.forEach((value, i) => {
      slopes.own[i] = charge(value, 0, penalty)
    })
    here.biases.forEach((value, k) => {
      slopes.biases[k] = charge(value, 0, penalty)
    })
    for (let row = 0; row < this.#truths.length; row++) sum += this.#addLoss(row, here, slopes)
    const rows = this.#truths.length
    return { value: sum / rows, gradient: gradient.map((slope) => slope / rows) }
  }

  /** The row's log-loss; adds its slopes. */
  #addLoss(row: number, here: StackingParts, slopes: StackingParts): number {
    const errors = this.#probabilities(row, here)
    const truth = this.#truths[row] ?? 0
    const loss = -Math.log(Math.max(errors[truth] ?? 0, 1e-300))
    errors[truth] = (errors[truth] ?? 0) - 1
    for (let k = 0; k < this.labels; k++) {
      const error = errors[k] ?? 0
      slopes.biases[k] = (slopes.biases[k] ?? 0) + error
      for (let i = 0; i < this.#experts; i++) {
        const cell = i * this.labels + k
        const slope = error * (this.#logs[row * this.#experts * this.labels + cell] ?? 0)
        slopes.shared[i] = (slopes.shared[i] ?? 0) + slope
        slopes.own[cell] = (slopes.own[cell] ?? 0) + slope
      }
    }
    return loss
  }

  #probabilities(row: number, { shared, own, biases }: StackingParts): Float64Array {
    const logits = Float64Array.from(biases)
    for (let i = 0; i < this.#experts; i++)
      for (let k = 0; k < this.labels; k++) {
        const cell = i * this.labels + k
        const log = this.#logs[row * this.#experts * this.labels + cell] ?? 0
        logits[k] = (logits[k] ?? 0) + ((shared[i] ?? 0) + (own[cell] ?? 0)) * log
      }
    return normalisedExponentials(logits)
  }
}

interface StackingParts {
  readonly shared: Float64Array
  readonly own: Float64Array
  readonly biases: Float64Array
}

function normalisedExponentials(logits: Float64Array): Float64Array {
  const most = logits.reduce((largest, value) => Math.max(largest, value), Number.NEGATIVE_INFINITY)
  const exponentials = logits.map((value) => Math.exp(value - most))
  const sum = exponentials.reduce((total, value) => total + value, 0)
  return exponentials.map((value) => value / sum)
}
