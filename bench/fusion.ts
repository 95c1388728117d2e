/**
 * `npm run -s build && node dist/bench/fusion.js DATA_FOLDER`: average, vote, stacking and the best single expert, with paired intervals over
 * near-duplicate clusters; then the calibration error of the fused result for every set of experts that may have run, before and after the temperature.
 * News and topics are those of `report`, fused as they are served; comments are all of them, judged and fused out of fold, since `report` has but 87.
 * Opens the report split: not for choosing anything. The best expert is the one of the least log-loss on the rows of the fit.
 */
import { program } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { createLogger } from '../infra/logger.ts'
import type { Post } from '../ingest/contract.ts'
import { tempered } from '../pipeline/allocator/calibration.ts'
import { fuse } from '../pipeline/allocator/fusion.ts'
import { loadFusion, type ServedFusion } from '../pipeline/allocator/served-fusion.ts'
import { type FusionMethod, fusionMethods, type Task } from '../pipeline/contract.ts'
import { batchSize, toPost } from '../pipeline/evaluation/judge-lines.ts'
import type { Prediction } from '../pipeline/evaluation/metrics.ts'
import { aligned, fixed, metricTitles, signed } from '../pipeline/evaluation/table.ts'
import { type Expert, isLethal } from '../pipeline/experts/expert.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import { heldOutPredictions } from '../pipeline/fitting/fit-methods.ts'
import { expertSets } from '../pipeline/fitting/fusion-parameters.ts'
import { expertsOf, fitWeights } from '../pipeline/fitting/fusion-weights.ts'
import { hearExperts } from '../pipeline/fitting/hear-experts.ts'
import type { Judged } from '../pipeline/fitting/judged.ts'
import { LabelledOpinions } from '../pipeline/fitting/labelled-opinions.ts'
import {
  type Estimate,
  type Estimates,
  validatedMetrics,
  validationOf,
} from '../pipeline/fitting/validation.ts'
import { readCorpus } from '../pipeline/training/corpus.ts'
import type { Example } from '../pipeline/training/dataset.ts'
import { outOfFoldExperts } from './out-of-fold.ts'

const bestExpert = 'minilm'

interface Part {
  readonly title: string
  readonly task: Task
  readonly kind: Post['kind']
  readonly examples: readonly Example[]
  readonly experts: readonly Expert[]
  /** What fuses was fitted on some of these rows: it is fitted again, out of fold. */
  readonly isFittedOn: boolean
}

async function judge({ task, kind, examples, experts }: Part): Promise<Judged[]> {
  const opinions = new LabelledOpinions()
  for (let at = 0; at < examples.length; at += batchSize) {
    const batch = examples.slice(at, at + batchSize)
    const posts = batch.map(({ text }, i) => toPost({ kind, text, title: '' }, i))
    const answers = await hearExperts(experts, posts)
    batch.forEach(({ id, text, ...row }, i) => {
      const answer = answers[i]
      if (answer === undefined || isLethal(answer)) throw new RangeError(`Not judged: ${id}`)
      opinions.add({ kind, text, title: '', labels: { [task]: row[task] } }, answer)
    })
  }
  return opinions.judged()
}

/** As it is served where only these experts ran. */
function served(
  { task, kind, label, opinions }: Judged,
  method: FusionMethod,
  experts: readonly string[],
  fusion: ServedFusion,
) {
  const weights = (task === 'topic' ? fusion.topicWeights : fusion.weights)[kind]
  const heard = experts.map((expert) => ({
    expert,
    weight: weights[expert] ?? 0,
    probabilities: opinions[expert] ?? [],
  }))
  const found = fuse(method, heard, { task, kind, stacking: fusion.stacking })
  const context = { task, kind, experts, method: found.method }
  const probabilities = tempered(found.probabilities, fusion.calibration.temperature(context))
  return { before: { label, probabilities: found.probabilities }, after: { label, probabilities } }
}

function compareMethods(part: Part, rows: readonly Judged[], fusion: ServedFusion): void {
  const clusters = rows.map(({ cluster }) => cluster)
  const experts = expertsOf(rows)
  const predictions = (method: FusionMethod): readonly Prediction[] =>
    part.isFittedOn
      ? heldOutPredictions(rows, {
          weights: (others) => fitWeights(others).weights,
          fusion: method,
        })
      : rows.map((row) => served(row, method, experts, fusion).after)
  const alone = rows.map(({ label, opinions }) => ({
    label,
    probabilities: opinions[bestExpert] ?? [],
  }))
  const { average, vote, stacking } = {
    average: predictions('average'),
    vote: predictions('vote'),
    stacking: predictions('stacking'),
  }
  const less = [
    { average, [bestExpert]: alone },
    { vote, average, [bestExpert]: alone },
    { stacking, average, [bestExpert]: alone },
  ].map((judges) => validationOf(part, clusters, judges))
  const figures = less.flatMap(({ judges }) => Object.entries(judges).slice(0, 1))
  const last = Object.entries(less[0]?.judges ?? {}).slice(1)
  print(`\n${part.title}: ${rows.length} rows in ${new Set(clusters).size} clusters`)
  printTable([...figures, ...last], fixed)
  print('')
  printTable(
    less.flatMap(({ judges, differences }) =>
      Object.entries(differences).map(([base, estimates]): [string, Estimates] => [
        `${Object.keys(judges)[0]} - ${base}`,
        estimates,
      ]),
    ),
    signed,
  )
}

function reportCalibration(part: Part, rows: readonly Judged[], fusion: ServedFusion): void {
  const clusters = rows.map(({ cluster }) => cluster)
  const reservation = part.isFittedOn ? ' (as it is served: fitted on 568 of these)' : ''
  print(
    `\n${part.title}: calibration error before and after the temperature, by who ran${reservation}`,
  )
  const lines = expertSets(expertsOf(rows)).map((set) => [
    set.join(' + '),
    ...fusionMethods.flatMap((method) => {
      const found = rows.map((row) => served(row, method, set, fusion))
      const { judges } = validationOf(part, clusters, {
        after: found.map(({ after }) => after),
        before: found.map(({ before }) => before),
      })
      const error = (judge: 'before' | 'after') => judges[judge]?.calibrationError
      return [shown(error('before'), fixed, false), shown(error('after'), fixed)]
    }),
  ])
  const head = ['', ...fusionMethods.flatMap((method) => [method, 'after'])]
  print(...aligned([head, ...lines], 1))
}

function printTable(
  columns: readonly (readonly [string, Estimates])[],
  format: (value: number) => string,
): void {
  const head = ['', ...validatedMetrics.map((name) => metricTitles[name])]
  const lines = columns.map(([name, estimates]) => [
    name,
    ...validatedMetrics.map((metric) => shown(estimates[metric], format)),
  ])
  print(...aligned([head, ...lines], 1))
}

function shown(
  estimate: Estimate | undefined,
  format: (value: number) => string,
  withInterval = true,
): string {
  if (estimate === undefined) return ''
  const { value, interval } = estimate
  return withInterval ? `${format(value)} [${interval.map(format).join(', ')}]` : format(value)
}

function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

program
  .description('Compare the methods of fusion on held-out texts.')
  .argument('<data folder>')
  .action(async (folder: string) => {
    const { pipeline, logLevel } = loadConfig({})
    const corpus = readCorpus(folder)
    const logger = createLogger({ level: logLevel })
    const experts = await loadExperts(pipeline, { clock: systemClock, logger })
    const outOfFold = outOfFoldExperts(experts, corpus)
    const report = { experts, kind: 'news', isFittedOn: false } as const
    const comments = { experts: outOfFold, kind: 'comment', task: 'sentiment' } as const
    const parts: readonly Part[] = [
      {
        ...report,
        title: 'report split, sentiment of news',
        task: 'sentiment',
        examples: corpus.rows('report', 'tweets'),
      },
      {
        ...report,
        title: 'report split, topic of news',
        task: 'topic',
        examples: corpus.rows('report', 'topics'),
      },
      {
        ...comments,
        title: 'report split, sentiment of comments, experts out of fold',
        examples: corpus.rows('report', 'comments'),
        isFittedOn: false,
      },
      {
        ...comments,
        title: 'all comments, sentiment, experts and fusion out of fold',
        examples: corpus.comments,
        isFittedOn: true,
      },
    ]
    try {
      const fusion = loadFusion(pipeline, experts)
      for (const part of parts) {
        const rows = await judge(part)
        compareMethods(part, rows, fusion)
        reportCalibration(part, rows, fusion)
      }
    } finally {
      await Promise.all(experts.map((expert) => expert.close()))
    }
  })
await program.parseAsync()
