/** `tickertone evaluate FILE`: how well the experts and their fusion judge labelled texts. */
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { Command, Option } from 'commander'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import { createLogger } from '../infra/logger.ts'
import { kinds, maxPostBytes, type Post } from '../ingest/contract.ts'
import { readLines } from '../ingest/lines.ts'
import { loadFusion } from '../pipeline/allocator/served-fusion.ts'
import { type Task, tasks } from '../pipeline/contract.ts'
import { documentOf, type EvaluationDocument, fusedName } from '../pipeline/evaluation/document.ts'
import { type Evaluated, evaluate } from '../pipeline/evaluation/evaluate.ts'
import { batchSize } from '../pipeline/evaluation/judge-lines.ts'
import { type AnalystOf, createPanel, unhurried } from '../pipeline/evaluation/panel.ts'
import { servedAnalyst } from '../pipeline/evaluation/served-analyst.ts'
import { textsPerSecond } from '../pipeline/evaluation/speed.ts'
import { evaluationText } from '../pipeline/evaluation/text.ts'
import type { Expert } from '../pipeline/experts/expert.ts'
import {
  encoderFolders,
  loadExperts,
  workerCount,
  workerThreads,
} from '../pipeline/experts/registry.ts'
import { listBadRows, openSource, type Source, withProgress } from './labelled-file.ts'
import { configFrom, withExperts } from './options.ts'

interface EvaluateFlags {
  readonly task: Task
  readonly experts?: string
  readonly provider?: string
  readonly kind: Post['kind']
  readonly skipBad?: boolean
  readonly json?: boolean
  readonly config?: string
}

export function evaluateCommand(): Command {
  return withExperts(new Command('evaluate'))
    .description('Measure the experts and their fusion on a file of labelled texts')
    .argument(
      '<file>',
      'NDJSON of {"text", "kind"?, "title"?, "sentiment" | "topic"}; - reads standard input',
    )
    .addOption(
      new Option('--task <task>', 'which label to compare with')
        .choices(tasks)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--kind <kind>', 'of rows that name none').choices(kinds).default('news'))
    .option('--skip-bad', 'leave bad rows out instead of failing')
    .option('--json', 'print everything as one JSON document')
    .option('--config <file>', 'JSON file with options (docs/configuration.md lists them)')
    .addHelpText(
      'after',
      '\nLabels and kinds are read in any case. Exit codes: 0 done, 1 bad rows or nothing to judge, 2 wrong usage or configuration.',
    )
    .action(async (file: string, flags: EvaluateFlags) => {
      process.exitCode = await run(file, flags)
    })
}

async function run(file: string, flags: EvaluateFlags): Promise<number> {
  const { pipeline: config, logLevel } = configFrom(flags)
  const logger = createLogger({ level: logLevel })
  const source = await openSource(file)
  const experts = await loadExperts(config, { clock: systemClock, logger })
  try {
    const judging = experts.filter(({ tasks }) => tasks.includes(flags.task))
    if (judging.length === 0)
      throw new AppError(
        'USAGE',
        `${experts.map(({ name }) => name).join(', ')}: none of these judges ${flags.task}`,
      )
    const analystOf = servedAnalyst(loadFusion(config, experts), config.allocator.fusion)
    const evaluated = await judgeAll(source, flags, experts, analystOf)
    const { intake } = evaluated
    listBadRows(file, intake)
    if (intake.bad > 0 && !flags.skipBad) {
      process.stderr.write('tickertone: nothing was measured; --skip-bad leaves bad rows out\n')
      return 1
    }
    if (intake.judged === 0) {
      process.stderr.write(
        `tickertone: ${inert(file)} has no row with a ${flags.task} to compare with\n`,
      )
      return 1
    }
    const document = documentOf({
      file,
      evaluated,
      versions: new Map(judging.map(({ name, version }) => [name, version])),
      speeds: await measureSpeeds(evaluated, judging, analystOf(experts)),
      conditions: conditionsOf(evaluated, judging, config.workers),
    })
    print(document, flags)
    return 0
  } finally {
    await Promise.all(experts.map((expert) => expert.close()))
  }
}

function judgeAll(
  source: Source,
  flags: EvaluateFlags,
  experts: readonly Expert[],
  analystOf: AnalystOf,
): Promise<Evaluated> {
  return withProgress(source, (onProgress) =>
    evaluate(readLines(source.bytes, maxPostBytes), {
      task: flags.task,
      defaultKind: flags.kind,
      onBadRow: flags.skipBad ? 'skip' : 'stop',
      panel: createPanel({ task: flags.task, experts, fusions: { [fusedName]: analystOf } }),
      onProgress,
    }),
  )
}

async function measureSpeeds(
  { sample }: Evaluated,
  judging: readonly Expert[],
  analyst: ReturnType<AnalystOf>,
): Promise<Map<string, number>> {
  const speeds = new Map<string, number>()
  const now = () => performance.now()
  for (const expert of judging)
    speeds.set(
      expert.name,
      await textsPerSecond((batch) => expert.classify(batch, unhurried), sample, now),
    )
  return speeds.set(
    fusedName,
    await textsPerSecond((batch) => analyst.judge(batch, unhurried), sample, now),
  )
}

function conditionsOf(
  { sample }: Evaluated,
  judging: readonly Expert[],
  config: Config['pipeline']['workers'],
): EvaluationDocument['speed'] {
  const conditions = { texts: sample.length, batch: batchSize }
  if (!judging.some(({ name }) => name in encoderFolders)) return conditions
  const count = workerCount(config, availableParallelism())
  return { ...conditions, workers: { count, threads: workerThreads, provider: config.provider } }
}

function print(document: EvaluationDocument, { json }: EvaluateFlags): void {
  process.stdout.write(json ? `${JSON.stringify(document)}\n` : evaluationText(document))
}
