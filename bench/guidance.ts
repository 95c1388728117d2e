/**
 * `npm run -s build && node dist/bench/guidance.js DATA_FOLDER`: what the expert `guidance` is worth to the others. Weights in steps of 0.05 and a temperature are
 * fitted with and without it: judged on folds that they have not seen, and with `--report` once on the report split. Negative differences of log-loss
 * and positive ones of accuracy speak for it. Intervals are paired 95% bootstrap intervals over near-duplicate clusters.
 */
import { program } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { silentLogger } from '../infra/logger.ts'
import { differenceInterval, resample } from '../pipeline/evaluation/bootstrap.ts'
import {
  metricsOfPredictions,
  outcomesOf,
  type Prediction,
} from '../pipeline/evaluation/metrics.ts'
import { unhurried } from '../pipeline/evaluation/panel.ts'
import { type Expert, isLethal } from '../pipeline/experts/expert.ts'
import { createGuidanceExpert } from '../pipeline/experts/guidance.ts'
import { mapLogits } from '../pipeline/experts/logit-map.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import { crossFit } from '../pipeline/fitting/cross-fit.ts'
import { expertsOf, fitWeights, fusedLogits } from '../pipeline/fitting/fusion-weights.ts'
import type { Grouped, Judged } from '../pipeline/fitting/judged.ts'
import { clusterIds, foldOfCluster } from '../pipeline/fitting/splits.ts'
import { type Corpus, readCorpus } from '../pipeline/training/corpus.ts'
import type { Example } from '../pipeline/training/dataset.ts'
import { fitGuidance } from '../pipeline/training/fit-guidance.ts'
import { heldOutFusion } from '../pipeline/training/held-out-fusion.ts'
import { outOfFoldExperts } from './out-of-fold.ts'

const judgedName = 'guidance'

interface Row extends Grouped {
  readonly example: Example
}

function groupedRows(examples: readonly Example[], folds: ReadonlyMap<string, number>): Row[] {
  const clusters = clusterIds(examples)
  const numbers = new Map([...new Set(clusters.values())].map((cluster, i) => [cluster, i]))
  return examples.map((example) => {
    const cluster = clusters.get(example.id) ?? example.id
    return {
      example,
      fold: folds.get(example.id) ?? foldOfCluster(cluster),
      cluster: numbers.get(cluster) ?? -1,
    }
  })
}

async function judged(rows: readonly Row[], experts: readonly Expert[]): Promise<Judged[]> {
  const opinions = await Promise.all(experts.map((expert) => opinionsOf(expert, rows)))
  return rows.map(({ example, fold, cluster }, i) => ({
    task: 'sentiment',
    kind: example.kind,
    label: example.sentiment,
    fold,
    cluster,
    opinions: Object.fromEntries(experts.map(({ name }, e) => [name, opinions[e]?.[i] ?? []])),
  }))
}

const textsACall = 256

async function opinionsOf(expert: Expert, rows: readonly Row[]): Promise<(readonly number[])[]> {
  const opinions: (readonly number[])[] = []
  for (let at = 0; at < rows.length; at += textsACall) {
    const batch = rows.slice(at, at + textsACall)
    const inputs = batch.map(({ example: { kind, text } }) => ({ kind, text, title: '' }))
    for (const answer of await expert.classify(inputs, unhurried))
      opinions.push(isLethal(answer) ? [] : (answer.sentiment ?? []))
  }
  return opinions
}

/** Each comment by maps that were fitted on the comments of other folds. */
async function outOfFoldGuidance(rows: readonly Row[]): Promise<(readonly number[])[]> {
  return Promise.all(
    crossFit(rows, (others) => {
      const expert = createGuidanceExpert(fitGuidance(others.map(({ example }) => example)))
      return async (row: Row) => (await opinionsOf(expert, [row]))[0] ?? []
    }),
  )
}

interface Fusions {
  readonly with: readonly Prediction[]
  readonly without: readonly Prediction[]
}

function heldOut(rows: readonly Judged[]): Fusions {
  const of = (experts: readonly string[]) =>
    heldOutFusion(rows, (fitted) => fitWeights(fitted, experts)).calibrated
  return { with: of(expertsOf(rows)), without: of(otherExperts(rows)) }
}

/** By weights and temperatures of other rows. */
function transferred(fitted: readonly Judged[], rows: readonly Judged[]): Fusions {
  const of = (experts: readonly string[]) => {
    const { weights, temperature } = fitWeights(fitted, experts)
    return rows.map((row) => {
      const { label, logits } = fusedLogits(row, weights)
      return { label, probabilities: mapLogits(logits, { temperature, biases: [] }) }
    })
  }
  return { with: of(expertsOf(rows)), without: of(otherExperts(rows)) }
}

function otherExperts(rows: readonly Judged[]): string[] {
  return expertsOf(rows).filter((expert) => expert !== judgedName)
}

function printDifferences(title: string, rows: readonly Judged[], fusions: Fusions): void {
  print(`\n${title}: ${rows.length} rows`)
  const judges = new Map([
    ['with', outcomesOf(fusions.with)],
    ['without', outcomesOf(fusions.without)],
  ] as const)
  const resampled = resample(judges, {
    labels: 3,
    rows: [...rows.keys()],
    clusters: rows.map(({ cluster }) => cluster),
  })
  const [a, b] = [resampled.get('with'), resampled.get('without')]
  const [of, less] = [metricsOfPredictions(fusions.with), metricsOfPredictions(fusions.without)]
  if (a === undefined || b === undefined) return
  for (const metric of ['logLoss', 'accuracy', 'macroF1'] as const) {
    const difference = of[metric] - less[metric]
    const interval = differenceInterval(metric, difference, a, b).map((end) => end.toFixed(4))
    print(
      `  ${metric.padEnd(9)} ${less[metric].toFixed(4)} without, ${of[metric].toFixed(4)} with: ${difference.toFixed(4)} [${interval.join(', ')}]`,
    )
  }
}

function printWeights(rows: readonly Judged[]): void {
  for (const experts of [otherExperts(rows), expertsOf(rows)]) {
    const { weights, temperature } = fitWeights(rows, experts)
    print(`  weights ${JSON.stringify(weights)} temperature ${temperature.toFixed(4)}`)
  }
  const alone = metricsOfPredictions(
    rows.map(({ label, opinions }) => ({ label, probabilities: opinions[judgedName] ?? [] })),
  )
  print(`  alone: accuracy ${alone.accuracy.toFixed(4)}, log-loss ${alone.logLoss.toFixed(4)}`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function measure(corpus: Corpus, experts: readonly Expert[], isReport: boolean) {
  const newsOf = (split: 'fit' | 'report') =>
    judged(groupedRows(corpus.rows(split, 'tweets'), new Map()), experts)
  const fitNews = await newsOf('fit')
  printDifferences('fit, news, held-out folds', fitNews, heldOut(fitNews))
  printWeights(fitNews)

  const report = new Set(corpus.rows('report', 'comments').map(({ id }) => id))
  const rows = groupedRows(corpus.comments, corpus.commentFolds)
  const ofGuidance = await outOfFoldGuidance(rows)
  const others = outOfFoldExperts(experts, corpus).filter(({ name }) => name !== judgedName)
  const comments = (await judged(rows, others)).map((row, i) => ({
    ...row,
    opinions: { ...row.opinions, [judgedName]: ofGuidance[i] ?? [] },
  }))
  const isInReport = (_: Judged, i: number) => report.has(rows[i]?.example.id ?? '')
  const fitComments = comments.filter((row, i) => !isInReport(row, i))
  printDifferences('comments outside report, held-out folds', fitComments, heldOut(fitComments))
  printWeights(fitComments)
  if (!isReport) return

  const reportNews = await newsOf('report')
  printDifferences('report, news', reportNews, transferred(fitNews, reportNews))
  const reportComments = comments.filter(isInReport)
  const moved = transferred(fitComments, reportComments)
  printDifferences('report, comments, out of fold', reportComments, moved)
  printDifferences('all comments, out of fold', comments, heldOut(comments))
}

program
  .description('Measure what the expert guidance is worth to the others.')
  .argument('<data folder>')
  .option('--report', 'open the report split')
  .action(async (folder: string, { report = false }: { report?: boolean }) => {
    const { pipeline } = loadConfig({ env: {} })
    const experts = await loadExperts(
      { ...pipeline, experts: ['linear', 'lexicon', 'minilm', judgedName] },
      { clock: systemClock, logger: silentLogger },
    )
    try {
      await measure(readCorpus(folder), experts, report)
    } finally {
      await Promise.all(experts.map((expert) => expert.close()))
    }
  })
await program.parseAsync()
