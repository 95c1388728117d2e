/**
 * `npm run -s build && node dist/bench/label-draw.js DATA_FOLDER`: how informative posts are on average, by kind, on the split `fit` (comments out of
 * fold): the constants of pipeline/feedback/draw.ts. And the label queue that they make of the same posts at the configured shares.
 */
import { program } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { createLogger } from '../infra/logger.ts'
import { kinds, type Post } from '../ingest/contract.ts'
import type { Judgement } from '../pipeline/allocator/judgement.ts'
import { batchSize, toPost } from '../pipeline/evaluation/evaluate.ts'
import { unhurried } from '../pipeline/evaluation/panel.ts'
import { servedAnalyst } from '../pipeline/evaluation/served-analyst.ts'
import { isLethal } from '../pipeline/experts/expert.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import { informativeness, type LabelRates, probabilities } from '../pipeline/feedback/draw.ts'
import { readCorpus } from '../pipeline/training/corpus.ts'
import type { Example } from '../pipeline/training/dataset.ts'
import { fitRows } from '../pipeline/training/fit-rows.ts'
import { outOfFoldExperts } from './out-of-fold.ts'

type Analyst = ReturnType<ReturnType<typeof servedAnalyst>>

async function judge(analyst: Analyst, rows: readonly Example[]): Promise<Judgement[]> {
  const judgements: Judgement[] = []
  for (let at = 0; at < rows.length; at += batchSize) {
    const posts = rows
      .slice(at, at + batchSize)
      .map(({ kind, text }, i) => toPost({ kind, text, title: '' }, at + i))
    for (const answer of await analyst.judge(posts, unhurried)) {
      if (isLethal(answer)) throw new RangeError('A text of the corpus is lethal')
      judgements.push(answer)
    }
  }
  return judgements
}

function report(kind: Post['kind'], judgements: readonly Judgement[], rates: LabelRates): void {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const informative = mean(judgements.map(informativeness))
  const queue = mean(judgements.map((judged) => probabilities(rates, kind, judged).queue))
  process.stdout.write(
    `${kind}: ${judgements.length} posts, informativeness ${informative.toFixed(4)}, expected share of the queue ${queue.toFixed(5)} (wanted ${rates.share})\n`,
  )
}

program
  .description('Measure how informative posts are on the split fit.')
  .argument('<data folder>')
  .action(async (folder: string) => {
    const { pipeline, logLevel } = loadConfig({})
    const { labelShare: share, labelUniformShare: uniformShare } = pipeline.allocator
    const corpus = readCorpus(folder)
    const rows = fitRows(corpus).flatMap(({ task, example }) =>
      task === 'sentiment' ? [example] : [],
    )
    const logger = createLogger({ level: logLevel })
    const experts = await loadExperts(pipeline, { clock: systemClock, logger })
    try {
      for (const kind of kinds) {
        const judging = kind === 'comment' ? outOfFoldExperts(experts, corpus) : experts
        const analyst = servedAnalyst(pipeline.weights)(judging)
        const posts = rows.filter((row) => row.kind === kind)
        report(kind, await judge(analyst, posts), { share, uniformShare })
      }
    } finally {
      await Promise.all(experts.map((expert) => expert.close()))
    }
  })
await program.parseAsync()
