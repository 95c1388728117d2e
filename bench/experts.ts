/**
 * `npm run -s build && node dist/bench/experts.js DATA_FOLDER`: quality of the experts and of their fusion on the report split, by kind, and their speed.
 * Intervals are 95% bootstrap intervals over near-duplicate clusters. Opens the report split: not for choosing anything.
 */
import { program } from 'commander'
import {
  type Analyst,
  createAnalyst,
  type JudgedPost,
  type Judgement,
} from '../pipeline/allocator/analyst.ts'
import { createCalibration, readFusion } from '../pipeline/allocator/calibration.ts'
import { createStaticAllocator } from '../pipeline/allocator/static.ts'
import type { Task } from '../pipeline/contract.ts'
import { type Expert, isLethal, type Lethal } from '../pipeline/experts/expert.ts'
import { createLexiconExpert, readLexicon } from '../pipeline/experts/lexicon.ts'
import { createLinearExpert, readLinear } from '../pipeline/experts/linear.ts'
import { softmax } from '../pipeline/experts/probabilities.ts'
import { type Corpus, readCorpus } from '../pipeline/training/corpus.ts'
import type { Example } from '../pipeline/training/dataset.ts'
import {
  accuracy,
  calibrationError,
  logLoss,
  macroF1,
  type Prediction,
} from '../pipeline/training/metrics.ts'
import { outOfFoldComments } from '../pipeline/training/out-of-fold.ts'
import { clusterIds } from '../pipeline/training/splits.ts'
import { type Clustered, interval, pairedInterval } from './bootstrap.ts'

const fusion = readFusion()
const linear = readLinear()
const linearExpert = createLinearExpert(linear)
const lexiconExpert = createLexiconExpert(readLexicon())

function analystOf(experts: readonly Expert[], temperatures = fusion.temperatures): Analyst {
  return createAnalyst({
    experts,
    allocator: createStaticAllocator({ weights: fusion.reference_weights, experts }),
    calibration: createCalibration(temperatures),
    referenceWeights: fusion.reference_weights,
    onExpertFailure: (_, error) => {
      throw error
    },
  })
}

const analysts = {
  linear: analystOf([linearExpert]),
  lexicon: analystOf([lexiconExpert]),
  'fused, not calibrated': analystOf([linearExpert, lexiconExpert], []),
  fused: analystOf([linearExpert, lexiconExpert]),
}

async function reportQuality(corpus: Corpus): Promise<void> {
  const tweets = corpus.rows('report', 'tweets')
  const comments = corpus.rows('report', 'comments')
  await reportTask('sentiment, news', 'sentiment', tweets, analysts)
  await reportTask('sentiment, comments', 'sentiment', comments, analysts)
  await reportTask('topic, news', 'topic', corpus.rows('report', 'topics'), {
    linear: analysts.linear,
  })
}

async function reportTask(
  title: string,
  task: Task,
  rows: readonly Example[],
  judges: Readonly<Record<string, Analyst>>,
): Promise<void> {
  const clusters = clusterIds(rows)
  const results = new Map<string, Clustered[]>()
  for (const [name, analyst] of Object.entries(judges)) {
    const judgements = await analyst.judge(rows.map(toPost))
    const predictions = rows.map((row, i) => ({
      label: row[task],
      probabilities: probabilitiesOf(task, judgements[i]),
      cluster: clusters.get(row.id) ?? row.id,
    }))
    results.set(name, predictions)
  }
  printTable(`report split: ${title}, ${rows.length} rows`, results)
}

function printTable(title: string, results: ReadonlyMap<string, readonly Clustered[]>): void {
  print(`\n${title}`)
  for (const [name, predictions] of results)
    print(
      `  ${name.padEnd(22)} accuracy ${withInterval(predictions, accuracy)}  macro-F1 ${withInterval(predictions, macroF1)}  ` +
        `log-loss ${logLoss(predictions).toFixed(3)}  ECE ${calibrationError(predictions).toFixed(3)}`,
    )
  const [fused, base] = [results.get('fused'), results.get('linear')]
  if (fused === undefined || base === undefined) return
  for (const [name, metric] of [
    ['accuracy', accuracy],
    ['macro-F1', macroF1],
  ] as const) {
    const [low, high] = pairedInterval(fused, base, metric)
    const difference = metric(fused) - metric(base)
    print(`  fused - linear, ${name}: ${signed(difference)} [${signed(low)}, ${signed(high)}]`)
  }
}

/** All 655 comments, each judged by a model that saw neither it nor a near-duplicate of it. The temperatures and weights saw those outside `report`. */
async function reportOutOfFold(corpus: Corpus): Promise<void> {
  const judged = outOfFoldComments(
    [...corpus.rows('train'), ...corpus.rows('tune')],
    corpus.comments,
    corpus.commentFolds,
  )
  const logitsOf = new Map(judged.map(({ comment, logits }) => [comment.text, logits]))
  const temperature =
    linear.parameters.heads.find(({ task }) => task === 'sentiment')?.temperatures.comment ?? 1
  const outOfFold: Expert = {
    ...linearExpert,
    tasks: ['sentiment'],
    classify: async (batch) =>
      batch.map(({ text }) => ({ sentiment: softmax(logitsOf.get(text) ?? [], temperature) })),
  }
  await reportTask('sentiment, all comments out of fold', 'sentiment', corpus.comments, {
    linear: analystOf([outOfFold]),
    lexicon: analysts.lexicon,
    fused: analystOf([outOfFold, lexiconExpert]),
  })
}

async function reportSpeed(corpus: Corpus): Promise<void> {
  const posts = [...corpus.rows('report', 'tweets', 'topics'), ...corpus.comments].map(toPost)
  print(`\ntexts/s on one core, best of 5 passes over ${posts.length} tweets and comments`)
  const judges: Readonly<Record<string, (batch: JudgedPost[]) => Promise<unknown>>> = {
    'linear expert, both tasks': (batch) => linearExpert.classify(batch),
    'lexicon expert': (batch) => lexiconExpert.classify(batch),
    'analyst with both': (batch) => analysts.fused.judge(batch),
  }
  for (const [name, judge] of Object.entries(judges)) {
    const rates: number[] = []
    for (let pass = 0; pass < 5; pass++) {
      const before = process.cpuUsage()
      for (let at = 0; at < posts.length; at += 256) await judge(posts.slice(at, at + 256))
      const { user, system } = process.cpuUsage(before)
      rates.push(posts.length / ((user + system) / 1e6))
    }
    print(`  ${name.padEnd(26)} ${Math.round(Math.max(...rates)).toLocaleString('en')}`)
  }
}

function toPost({ text, kind }: Example): JudgedPost {
  const position = { logTopic: 'bench', partition: 0, offset: 0 }
  return { text, kind, title: '', language: 'en', position }
}

function probabilitiesOf(task: Task, judgement: Judgement | Lethal | undefined): number[] {
  if (judgement === undefined || isLethal(judgement)) return []
  if (task === 'topic') return judgement.topic_probabilities
  return [judgement.negative, judgement.neutral, judgement.positive]
}

function withInterval(
  predictions: readonly Clustered[],
  metric: (predictions: readonly Prediction[]) => number,
): string {
  const [low, high] = interval(predictions, metric)
  return `${metric(predictions).toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

program
  .description('Measure the experts and their fusion on the report split.')
  .argument('<data folder>')
  .action(async (folder: string) => {
    const corpus = readCorpus(folder)
    await reportQuality(corpus)
    await reportOutOfFold(corpus)
    await reportSpeed(corpus)
  })
  .parse()
