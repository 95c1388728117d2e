/** `tickertone fit FILE`: weights of the experts from labelled texts, with what they are worth on held-out ones. */
import { createHash } from 'node:crypto'
import { access, constants, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { AppError, describeError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import { createLogger } from '../infra/logger.ts'
import { kinds, maxPostBytes, type Post } from '../ingest/contract.ts'
import { readLines } from '../ingest/lines.ts'
import { loadFusion } from '../pipeline/allocator/served-fusion.ts'
import type { WeightsFile } from '../pipeline/allocator/weights-file.ts'
import { type Task, tasks } from '../pipeline/contract.ts'
import { type Intake, judgeLines } from '../pipeline/evaluation/judge-lines.ts'
import { readTaskLabels } from '../pipeline/evaluation/labelled-row.ts'
import type { Expert } from '../pipeline/experts/expert.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import { type FitMethod, fitMethods, recipes } from '../pipeline/fitting/fit-methods.ts'
import { validationText } from '../pipeline/fitting/fit-text.ts'
import {
  type Contexts,
  contextsOf,
  fewestClusters,
  fitWeightsFile,
} from '../pipeline/fitting/fit-weights-file.ts'
import { hearExperts } from '../pipeline/fitting/hear-experts.ts'
import { type KnownTexts, knownTexts } from '../pipeline/fitting/known-texts.ts'
import { LabelledOpinions } from '../pipeline/fitting/labelled-opinions.ts'
import { listBadRows, openSource, type Source, withProgress } from './labelled-file.ts'
import { configFrom, withExperts } from './options.ts'

interface FitFlags {
  readonly method: FitMethod
  readonly task?: Task
  readonly experts?: string
  readonly provider?: string
  readonly kind: Post['kind']
  readonly skipBad?: boolean
  readonly out: string
  readonly config?: string
}

export function fitCommand(): Command {
  return withExperts(new Command('fit'))
    .description('Fit the weights of the experts on a file of labelled texts')
    .argument(
      '<file>',
      'NDJSON of {"text", "kind"?, "title"?, "sentiment" | "topic"}; - reads standard input',
    )
    .addOption(
      new Option(
        '--method <method>',
        'cv: weights of the best average out of fold; gradient: by descent on the log-loss; stacking: cv, and a logistic regression on log-probabilities',
      )
        .choices(fitMethods)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--task <task>', 'fit on these labels alone').choices(tasks))
    .addOption(new Option('--kind <kind>', 'of rows that name none').choices(kinds).default('news'))
    .option('--skip-bad', 'leave bad rows out instead of failing')
    .option('--out <file>', 'where the weights go', 'tickertone-weights.json')
    .option('--config <file>', 'JSON file with options (docs/configuration.md lists them)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 bad rows or nothing to fit on, 2 wrong usage or configuration.',
    )
    .action(async (file: string, flags: FitFlags) => {
      process.exitCode = await run(file, flags)
    })
}

async function run(file: string, flags: FitFlags): Promise<number> {
  const { pipeline: config, logLevel } = configFrom(flags)
  await checkPlace(flags.out)
  const source = await openSource(file)
  const logger = createLogger({ level: logLevel })
  const experts = await loadExperts(config, { clock: systemClock, logger })
  try {
    const { intake, opinions, sha256 } = await judgeAll(source, flags, experts)
    listBadRows(file, intake)
    if (intake.bad > 0 && !flags.skipBad) {
      complain('nothing was fitted; --skip-bad leaves bad rows out')
      return 1
    }
    const contexts = contextsOf(opinions.judged())
    for (const line of reservations(contexts, knownTexts(opinions.ids))) complain(line)
    if (contexts.enough.length === 0) {
      complain(`${inert(file)} has too few labelled rows to fit on`)
      return 1
    }
    // What is compared with, and stays in force where rows are few, is not what an earlier fit left.
    const served = loadFusion(
      { ...config, allocator: { ...config.allocator, weightsFile: '' } },
      experts,
    )
    const names = experts.map(({ name }) => name)
    const fitted = fitWeightsFile(contexts.enough, flags.method, names, served)
    const document: WeightsFile = {
      format: 1,
      command: commandOf(file, flags),
      experts: Object.fromEntries(experts.map(({ name, version }) => [name, version])),
      data: {
        sha256,
        rows: contexts.enough.reduce((sum, { rows }) => sum + rows.length, 0),
        ...knownTexts(opinions.ids),
      },
      ...fitted,
    }
    await save(flags.out, document)
    process.stdout.write(`${validationText(fitted.figures)}\n${usage(flags)}`)
    return 0
  } finally {
    await Promise.all(experts.map((expert) => expert.close()))
  }
}

/** With the options that the fit depends on; the experts stand in the file. */
function commandOf(file: string, { method, task, kind, skipBad }: FitFlags): string {
  const options = [
    ...(task === undefined ? [] : [`--task ${task}`]),
    ...(kind === 'news' ? [] : [`--kind ${kind}`]),
    ...(skipBad ? ['--skip-bad'] : []),
  ]
  return ['tickertone fit', inert(file), `--method ${method}`, ...options].join(' ')
}

interface Judged {
  readonly intake: Intake
  readonly opinions: LabelledOpinions
  /** Of the file, in hex digits. */
  readonly sha256: string
}

async function judgeAll(
  source: Source,
  flags: FitFlags,
  experts: readonly Expert[],
): Promise<Judged> {
  const opinions = new LabelledOpinions()
  const hash = createHash('sha256')
  async function* hashed() {
    for await (const bytes of source.bytes) {
      hash.update(bytes)
      yield bytes
    }
  }
  const wanted = flags.task === undefined ? tasks : [flags.task]
  const intake = await withProgress(source, (onProgress) =>
    judgeLines(readLines(hashed(), maxPostBytes), {
      read: (bytes) => readTaskLabels(bytes, wanted, flags.kind),
      onBadRow: flags.skipBad ? 'skip' : 'stop',
      judge: (posts) => hearExperts(experts, posts),
      onJudged: (row, outputs) => opinions.add(row, outputs),
      onProgress,
    }),
  )
  return { intake, opinions, sha256: hash.digest('hex') }
}

function* reservations({ tooFew }: Contexts, known: KnownTexts) {
  for (const { task, kind, clusters } of tooFew)
    yield `${task} of ${kind}: ${clusters} different texts, fewer than ${fewestClusters}; its weights stay as they are configured`
  if (known.trainedOn > 0)
    yield `warning: the experts that ship learned from ${known.trainedOn} of these texts; they know their labels, so the weights and figures flatter those that learned most`
  if (known.calibratedOn > 0)
    yield `note: the calibration and the weights that ship were fitted on ${known.calibratedOn} of these texts`
}

function usage({ out, method }: FitFlags): string {
  const { fusion } = recipes[method]
  return `${inert(out)} is written. ALLOCATOR_WEIGHTS_FILE=${inert(out)} ALLOCATOR_FUSION=${fusion} uses it.\n`
}

/** Before the experts read for minutes. */
async function checkPlace(out: string): Promise<void> {
  try {
    await access(dirname(resolve(out)), constants.W_OK)
  } catch (cause) {
    throw new AppError('USAGE', `Cannot write ${out}: ${describeError(cause)}`, { cause })
  }
  const there = await stat(out).catch(() => undefined)
  if (there !== undefined && !there.isFile())
    throw new AppError('USAGE', `Cannot write ${out}: it is there, and no file`)
}

/** Whole or not at all: a monitor may be starting with it. */
async function save(out: string, document: WeightsFile): Promise<void> {
  const unfinished = `${out}.${process.pid}`
  try {
    await writeFile(unfinished, `${JSON.stringify(document, null, 2)}\n`)
    await rename(unfinished, out)
  } catch (cause) {
    await rm(unfinished, { force: true })
    throw new AppError('USAGE', `Cannot write ${out}: ${describeError(cause)}`, { cause })
  }
}

function complain(line: string): void {
  process.stderr.write(`tickertone: ${line}\n`)
}
