/**
 * `npm run -s build && node dist/bench/weights-choice.js DATA_FOLDER`: the loss and the rates of the learned weights, compared on streams of `fit` (docs/decisions/0063). A
 * stream draws as many near-duplicate clusters as there are, with replacement: the spread over streams is a bootstrap's, and variants are paired on the same ones.
 */
import { program } from 'commander'
import { loadConfig } from '../infra/config.ts'
import { seededRandom } from '../infra/seeded-random.ts'
import type { StaticWeights } from '../pipeline/allocator/static.ts'
import {
  type ContextNode,
  contextPath,
  shrunk,
  tilted,
} from '../pipeline/allocator/weights/contexts.ts'
import { type HedgeRates, hedge, type Weights } from '../pipeline/allocator/weights/hedge.ts'
import {
  halfBrier,
  mixtureLosses,
  mixtureOf,
  type Voice,
} from '../pipeline/allocator/weights/loss.ts'
import {
  judgesOf,
  learning,
  priorOf,
  type WeightModel,
} from '../pipeline/allocator/weights/model.ts'
import { argmax } from '../pipeline/experts/probabilities.ts'
import { type FitOpinions, fitOpinions, type OpinionRow } from './fit-opinions.ts'
import { corrupted } from './weights-corrupted.ts'

interface Variant extends HedgeRates {
  /** What Hedge learns from: each expert's own half Brier score, or the gradient of the mixture's. */
  readonly loss: 'expert' | 'mixture'
  readonly kappa: number
}

interface Figures {
  readonly halfBrier: number
  /** Share of right verdicts. */
  readonly right: number
}

const chosen: Variant = {
  loss: 'mixture',
  eta: learning.eta,
  share: learning.share,
  kappa: learning.kappa,
}

const variants: readonly Variant[] = [
  ...[0.3, 1, 3].map((eta): Variant => ({ ...chosen, loss: 'expert', eta })),
  ...[0.75, 3, 6].map((eta) => ({ ...chosen, eta })),
  ...[0, 0.0003, 0.003, 0.01].map((share) => ({ ...chosen, share })),
  ...[10, 20, 100, 200].map((kappa) => ({ ...chosen, kappa })),
]

const streams = 100

function drawn(rows: readonly OpinionRow[], seed: number): OpinionRow[] {
  const random = seededRandom(seed)
  const clusters = new Map<number, OpinionRow[]>()
  for (const row of rows) clusters.set(row.cluster, [...(clusters.get(row.cluster) ?? []), row])
  const all = [...clusters.values()]
  return all
    .flatMap(() => all[Math.floor(random() * all.length)] ?? [])
    .map((row) => ({ row, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row)
}

/** Its middle third. */
function corruptedMidway(stream: readonly OpinionRow[]): OpinionRow[] {
  const third = stream.length / 3
  return stream.map((row, i) => (i >= third && i < 2 * third ? corrupted(row) : row))
}

/** Each row judged by what the ones before it taught. */
function learnedOn(
  stream: readonly OpinionRow[],
  model: WeightModel,
  variant: Variant | undefined,
): Figures {
  const nodes = new Map<string, ContextNode>()
  let [loss, right] = [0, 0]
  for (const row of stream) {
    const path = contextPath({ ...row, language: 'en' })
    const prior = priorOf(model, row.task, row.kind)
    const voices = judgesOf(model, row.task).map(({ name }): Voice => row.opinions[name])
    const around = path.map((key) => nodes.get(key))
    const fused = mixtureOf(shrunk(prior, around, variant?.kappa ?? 0), voices)
    loss += halfBrier(fused, row.label)
    right += argmax(fused) === row.label ? 1 : 0
    if (variant === undefined) continue
    path.forEach((key, i) => {
      const equal = prior.map(() => 1 / prior.length)
      const node = nodes.get(key) ?? { labels: 0, weights: i === 0 ? equal : prior }
      const current = i === 0 ? tilted(prior, node.weights) : node.weights
      const losses = lossesOf(variant, current, voices, row.label)
      nodes.set(key, { labels: node.labels + 1, weights: hedge(node.weights, losses, variant) })
    })
  }
  return { halfBrier: loss / stream.length, right: right / stream.length }
}

function lossesOf({ loss }: Variant, weights: Weights, voices: readonly Voice[], label: number) {
  return loss === 'mixture'
    ? mixtureLosses(weights, voices, label)
    : voices.map((voice) => voice && halfBrier(voice, label))
}

function compare({ experts, rows }: FitOpinions, prior: StaticWeights): void {
  const model = { experts, prior }
  const kinds = [
    { name: 'as they are', of: (stream: readonly OpinionRow[]) => stream },
    { name: 'minilm corrupted in the middle third', of: corruptedMidway },
  ]
  for (const { name, of } of kinds) {
    const all = Array.from({ length: streams }, (_, seed) => of(drawn(rows, seed)))
    const reference = all.map((stream) => learnedOn(stream, model, chosen))
    print(`\n${streams} streams of about ${rows.length} rows of fit, ${name}`)
    print(
      `  ${label(chosen).padEnd(48)} half Brier ${mean(reference, 'halfBrier', 5)}, right ${mean(reference, 'right', 4)}`,
    )
    for (const variant of [undefined, ...variants]) {
      const figures = all.map((stream) => learnedOn(stream, model, variant))
      const difference = (what: keyof Figures) =>
        interval(figures.map((figure, i) => figure[what] - (reference[i]?.[what] ?? 0)))
      print(
        `  ${label(variant).padEnd(48)} half Brier ${difference('halfBrier')}, right ${difference('right')}`,
      )
    }
  }
}

function label(variant: Variant | undefined): string {
  if (variant === undefined) return 'static (fitted on these rows)'
  const { loss, eta, share, kappa } = variant
  return `loss of the ${loss}, eta ${eta}, g ${share}, kappa ${kappa}`
}

function mean(figures: readonly Figures[], what: keyof Figures, digits: number): string {
  return (figures.reduce((sum, figure) => sum + figure[what], 0) / figures.length).toFixed(digits)
}

/** Mean and 95% of the paired differences. */
function interval(differences: readonly number[]): string {
  const sorted = [...differences].sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.round(share * (sorted.length - 1))] ?? 0).toFixed(4)
  const middle = sorted.reduce((sum, value) => sum + value, 0) / sorted.length
  return `${middle < 0 ? '' : '+'}${middle.toFixed(4)} [${at(0.025)}, ${at(0.975)}]`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

program
  .description('Compare losses and rates of the learned weights on the split fit.')
  .argument('<data folder>')
  .action(async (folder: string) =>
    compare(await fitOpinions(folder), loadConfig({}).pipeline.weights),
  )
await program.parseAsync()
