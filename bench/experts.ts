/**
 * `npm run -s build && node dist/bench/experts.js DATA_FOLDER`: quality of the configured experts and of their fusion on the report split, by kind,
 * and their speed. Intervals are 95% bootstrap intervals over near-duplicate clusters. Opens the report split: not for choosing anything.
 */
import { performance } from 'node:perf_hooks'
import { program } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { createLogger } from '../infra/logger.ts'
import type { JudgedPost } from '../pipeline/allocator/analyst.ts'
import { createCalibration } from '../pipeline/allocator/calibration.ts'
import { loadFusion, type ServedFusion } from '../pipeline/allocator/served-fusion.ts'
import type { Task } from '../pipeline/contract.ts'
import { fusedName } from '../pipeline/evaluation/document.ts'
import { batchSize, toPost } from '../pipeline/evaluation/judge-lines.ts'
import { JudgedTexts } from '../pipeline/evaluation/judged-texts.ts'
import { createPanel, type Panel, unhurried } from '../pipeline/evaluation/panel.ts'
import { type Pair, reportOf } from '../pipeline/evaluation/report.ts'
import { servedAnalyst } from '../pipeline/evaluation/served-analyst.ts'
import { textsPerSecond } from '../pipeline/evaluation/speed.ts'
import { partSections } from '../pipeline/evaluation/table.ts'
import type { Expert } from '../pipeline/experts/expert.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import { type Corpus, readCorpus } from '../pipeline/training/corpus.ts'
import type { Example } from '../pipeline/training/dataset.ts'
import { outOfFoldExperts } from './out-of-fold.ts'

const speedPasses = 5
/** Differences that a release speaks of, where both judges are there. */
const pairs: readonly Pair[] = [
  [fusedName, 'linear'],
  [fusedName, 'minilm'],
  ['minilm', 'linear'],
]

async function reportTask(
  title: string,
  task: Task,
  rows: readonly Example[],
  experts: readonly Expert[],
  fusion: ServedFusion,
): Promise<void> {
  const fusions = {
    [fusedName]: servedAnalyst(fusion, 'average'),
    'not calibrated': servedAnalyst({ ...fusion, calibration: createCalibration([]) }, 'average'),
  }
  const panel = createPanel({ task, experts, fusions })
  const { judges, differences } = reportOf(
    await judgeRows(panel, task, rows),
    pairs.filter((pair) => pair.every((judge) => panel.judges.includes(judge))),
  )
  print(`\n${title}`)
  for (const lines of partSections(Object.entries(judges), differences)) print(lines.join('\n'), '')
}

async function judgeRows(panel: Panel, task: Task, rows: readonly Example[]): Promise<JudgedTexts> {
  const texts = new JudgedTexts(task, panel.judges)
  for (let at = 0; at < rows.length; at += batchSize) {
    const batch = rows.slice(at, at + batchSize)
    const answers = await panel.judge(batch.map(postOf))
    batch.forEach(({ kind, text, ...row }, i) => {
      const answer = answers[i]
      if (answer === undefined || 'lethal' in answer) throw new RangeError(`Not judged: ${row.id}`)
      texts.add({ kind, text, title: '', label: row[task] }, answer)
    })
  }
  return texts
}

async function reportSpeed(
  corpus: Corpus,
  experts: readonly Expert[],
  fusion: ServedFusion,
): Promise<void> {
  const posts = [...corpus.rows('report', 'tweets', 'topics'), ...corpus.comments].map(postOf)
  print(`\ntexts/s by the wall clock, best of ${speedPasses} passes over ${posts.length} texts`)
  const analyst = servedAnalyst(fusion, 'average')(experts)
  const now = () => performance.now()
  const readers = [
    ...experts.map((expert) => ({
      name: expert.name,
      read: (batch: readonly JudgedPost[]) => expert.classify(batch, unhurried),
    })),
    {
      name: fusedName,
      read: (batch: readonly JudgedPost[]) => analyst.judge(batch, unhurried),
    },
  ]
  for (const { name, read } of readers) {
    const rates: number[] = []
    for (let pass = 0; pass < speedPasses; pass++)
      rates.push(await textsPerSecond(read, posts, now))
    print(`  ${name.padEnd(10)} ${Math.round(Math.max(...rates)).toLocaleString('en')}`)
  }
}

function postOf({ kind, text }: Example, index: number): JudgedPost {
  return toPost({ kind, text, title: '' }, index)
}

function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

program
  .description('Measure the experts and their fusion on the report split.')
  .argument('<data folder>')
  .action(async (folder: string) => {
    const { pipeline, logLevel } = loadConfig({})
    const corpus = readCorpus(folder)
    const logger = createLogger({ level: logLevel })
    const experts = await loadExperts(pipeline, { clock: systemClock, logger })
    try {
      const fusion = loadFusion(pipeline, experts)
      const sentiment = corpus.rows('report', 'tweets', 'comments')
      await reportTask('report split, sentiment', 'sentiment', sentiment, experts, fusion)
      const topics = corpus.rows('report', 'topics')
      await reportTask('report split, topic', 'topic', topics, experts, fusion)
      const outOfFold = outOfFoldExperts(experts, corpus)
      const title = 'all comments, out of fold, sentiment'
      await reportTask(title, 'sentiment', corpus.comments, outOfFold, fusion)
      await reportSpeed(corpus, experts, fusion)
    } finally {
      await Promise.all(experts.map((expert) => expert.close()))
    }
  })
await program.parseAsync()
