/** `npm run train:linear -- DATA_FOLDER`: makes the artifacts of the linear expert and of the lexicon's map. What stands on top of all experts: fit.ts. */

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { program } from 'commander'
import type { Post } from '../../ingest/contract.ts'
import type { Task } from '../contract.ts'
import { figures, type Prediction } from '../evaluation/metrics.ts'
import { lexiconFolder } from '../experts/lexicon.ts'
import { type LinearManifest, linearFolder } from '../experts/linear.ts'
import { softmax } from '../experts/probabilities.ts'
import type { Scored } from '../fitting/logit-table.ts'
import { fitTemperature } from '../fitting/temperature.ts'
import { type Corpus, readCorpus } from './corpus.ts'
import type { Example } from './dataset.ts'
import { fitLexicon } from './fit-lexicon.ts'
import { linearLogits, quantised, type TrainedLinear, trainLinear } from './linear-recipe.ts'
import { outOfFoldComments } from './out-of-fold.ts'
import { provenance, trainCommand } from './provenance.ts'
import { saveManifest } from './save-manifest.ts'

const notReport = ['train', 'tune', 'fit'] as const

program
  .description('Train the linear expert, and fit the map of the lexicon.')
  .argument('<data folder>')
  .action((folder: string) => train(readCorpus(folder)))
  .parse()

function train(corpus: Corpus): void {
  const selection = trainLinear(corpus.rows('train'), ['sentiment', 'topic'])
  const tune = {
    sentiment: tuneFigures(selection, corpus),
    topic: topicTuneFigures(selection, corpus),
  }
  print('linear, trained on train alone, on tune', tune)

  const examples = [...corpus.rows('train'), ...corpus.rows('tune')]
  const model = trainLinear(examples, ['sentiment', 'topic'])
  const scored = scoredForCalibration(model, examples, corpus)
  const temperatures = linearTemperatures(scored)
  saveLinear(model, temperatures, { tune }, examples)

  const lexicon = fitLexicon(notReport.flatMap((split) => corpus.rows(split, 'tweets', 'comments')))
  saveManifest(lexiconFolder, lexicon)
  print('lexicon', lexicon.metrics)
}

function print(title: string, value: unknown): void {
  process.stdout.write(`${title}: ${JSON.stringify(value, null, 1)}\n`)
}

function tuneFigures(model: TrainedLinear, corpus: Corpus) {
  return {
    news: figures(predictions(model, 'sentiment', corpus.rows('tune', 'tweets'))),
    comment: figures(predictions(model, 'sentiment', corpus.rows('tune', 'comments'))),
  }
}

function topicTuneFigures(model: TrainedLinear, corpus: Corpus) {
  return { news: figures(predictions(model, 'topic', corpus.rows('tune', 'topics'))) }
}

function predictions(model: TrainedLinear, task: Task, rows: readonly Example[]): Prediction[] {
  return linearLogits(
    model,
    task,
    rows.map(({ text }) => text),
  ).map((logits, i) => ({
    probabilities: softmax(logits),
    label: rows[i]?.[task] ?? -1,
  }))
}

interface ScoredExample extends Scored {
  readonly task: Task
  readonly example: Example
}

/** News of `fit` by the shipped model; comments, of which `fit` has only 48, out of fold over all that are not in `report`. */
function scoredForCalibration(
  model: TrainedLinear,
  examples: readonly Example[],
  corpus: Corpus,
): ScoredExample[] {
  const news = (task: Task, rows: readonly Example[]) =>
    linearLogits(
      model,
      task,
      rows.map(({ text }) => text),
    ).flatMap((logits, i) => {
      const example = rows[i]
      return example === undefined ? [] : [{ task, example, logits, label: example[task] }]
    })
  const report = new Set(corpus.rows('report', 'comments'))
  const comments = corpus.comments.filter((comment) => !report.has(comment))
  return [
    ...news('sentiment', corpus.rows('fit', 'tweets')),
    ...outOfFoldComments(examples, comments, corpus.commentFolds).map(({ comment, logits }) => ({
      task: 'sentiment' as const,
      example: comment,
      logits,
      label: comment.sentiment,
    })),
    ...news('topic', corpus.rows('fit', 'topics')),
  ]
}

type KindTemperatures = Record<Post['kind'], number>

/** By task and kind; a task without comments gives them its news' temperature. */
function linearTemperatures(scored: readonly ScoredExample[]): Map<Task, KindTemperatures> {
  return new Map(
    (['sentiment', 'topic'] as const).map((task) => {
      const of = (kind: Post['kind']) =>
        scored.filter((row) => row.task === task && row.example.kind === kind)
      const news = fitTemperature(of('news'))
      return [task, { news, comment: fitTemperature(of('comment'), news) }]
    }),
  )
}

function saveLinear(
  model: TrainedLinear,
  temperatures: ReadonlyMap<Task, KindTemperatures>,
  metrics: LinearManifest['metrics'],
  examples: readonly Example[],
): void {
  const { table, heads, ngrams } = quantised(model, temperatures)
  const packed = brotliCompressSync(table)
  const sha256 = createHash('sha256').update(packed).digest('hex')
  const manifest: LinearManifest = {
    name: 'linear',
    version: `1-${sha256.slice(0, 8)}`,
    ...provenance(examples, trainCommand),
    file: 'weights.bin.br',
    sha256,
    ngrams,
    heads: heads.map((head) => ({ ...head, biases: [...head.biases], scales: [...head.scales] })),
    metrics,
  }
  saveManifest(linearFolder, manifest)
  writeFileSync(join(linearFolder, manifest.file), packed)
}
