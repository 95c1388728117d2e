/**
 * `npm run -s build && node dist/bench/allocator.js DATA_FOLDER`: the strategies on labelled streams. Budgets are chosen on the split `fit`, figures are of
 * `report`; with `--fit` that one stays closed, and figures are of `fit`. Seeded, with costs as they were measured on a machine at rest: the same artifacts
 * print the same figures, but for the speed of the allocation. `--plot FILE` draws accuracy against cost:
 * pipeline/models/cascade/accuracy-against-compute.svg.
 */
import { writeFileSync } from 'node:fs'
import { program } from 'commander'
import { systemClock } from '../infra/clock.ts'
import { loadConfig } from '../infra/config.ts'
import { createLogger } from '../infra/logger.ts'
import type { Expert } from '../pipeline/experts/expert.ts'
import { loadExperts } from '../pipeline/experts/registry.ts'
import { readCorpus } from '../pipeline/training/corpus.ts'
import { calibrationLines } from './allocator-calibration.ts'
import { type CurvePoint, costCurve } from './allocator-curve.ts'
import { accuracyLines, compare, inPoints, meanMs } from './allocator-figures.ts'
import { play, type Verdict } from './allocator-play.ts'
import { allocationMicroseconds } from './allocator-speed.ts'
import {
  cascade,
  costs,
  everyExpert,
  everyExpertLearning,
  msACharacter,
  only,
} from './allocator-strategies.ts'
import {
  corrupted,
  driftingMix,
  type LabelledPost,
  readStream,
  shuffled,
} from './allocator-stream.ts'

const seed = 1
/** Compute of the budget, as a share of that of every expert. */
const shares = [0.05, 0.1, 0.2, 0.25, 0.3, 0.32, 0.34, 0.36, 0.4, 0.5, 0.6, 1]
const aimedShare = 0.35
const labelShare = 0.1

/** What a post is wanted for. */
const wants = [
  { name: 'one task a post', isOwnTask: true },
  { name: 'both tasks of each post', isOwnTask: false },
] as const
type Want = (typeof wants)[number]

/** A stream with what every strategy made of it, at every budget. */
interface Course {
  readonly stream: readonly LabelledPost[]
  readonly fixed: ReadonlyMap<string, readonly Verdict[]>
  cascadeAt(want: Want, share: number, labelShare?: number): Promise<readonly Verdict[]>
}

async function courseOf(stream: readonly LabelledPost[], experts: readonly Expert[]) {
  const run = (player: Parameters<typeof play>[3]) => play(stream, experts, costs, player)
  const all = await run(everyExpert(experts))
  const course: Course = {
    stream,
    fixed: new Map([
      ['every expert', all],
      ['minilm', await run(only('minilm', experts))],
      ['linear', await run(only('linear', experts))],
    ]),
    cascadeAt: ({ isOwnTask }, share, labelShare = 0) =>
      run(cascade(experts, { budgetMs: share * meanMs(all), isOwnTask, labelShare })),
  }
  return course
}

function costShare(course: Course, verdicts: readonly Verdict[]): number {
  return meanMs(verdicts) / meanMs(course.fixed.get('every expert') ?? [])
}

/** The largest budget of the list that costs no more than the aim. */
async function chooseBudget(course: Course, want: Want): Promise<number> {
  let chosen = 0
  for (const share of shares) {
    const cost = costShare(course, await course.cascadeAt(want, share))
    if (cost <= aimedShare && share > chosen) chosen = share
  }
  return chosen
}

async function printCourse(course: Course, want: Want, share: number): Promise<void> {
  const judges = new Map(course.fixed)
  for (const labels of [0, labelShare]) {
    const name = labels === 0 ? 'dynamic' : 'dynamic, learning'
    judges.set(name, await course.cascadeAt(want, share, labels))
  }
  print(`\n${want.name}: budget ${share} of every expert's compute`)
  const costLine = [...judges].map(
    ([name, verdicts]) => `${name} ${costShare(course, verdicts).toFixed(3)}`,
  )
  print(`compute, as a share of every expert's: ${costLine.join(', ')}`)
  const pairs = ['dynamic', 'dynamic, learning'].flatMap((judge) =>
    ['every expert', 'minilm'].map((base) => [judge, base] as const),
  )
  print(...accuracyLines(course.stream, judges, pairs))
  print('', ...calibrationLines(course.stream, judges.get('dynamic') ?? []))
}

async function curveOf(course: Course): Promise<CurvePoint[]> {
  const points: CurvePoint[] = []
  const add = (strategy: string, budget: number | undefined, verdicts: readonly Verdict[]) => {
    const bases = [...course.fixed].filter(([base]) => base !== 'linear')
    const judges = new Map([...bases, ['it', verdicts] as const])
    const compared = compare(course.stream, judges)
    points.push({
      strategy,
      budget,
      ms: meanMs(verdicts),
      share: costShare(course, verdicts),
      accuracy: compared.accuracies.get('it') ?? Number.NaN,
      lessEveryExpert: compared.difference('it', 'every expert'),
      lessBest: compared.difference('it', 'minilm'),
    })
  }
  for (const [name, verdicts] of course.fixed) add(name, undefined, verdicts)
  for (const want of wants)
    for (const share of shares)
      add(`dynamic, ${want.name}`, share, await course.cascadeAt(want, share))
  return points
}

function printCurve(points: readonly CurvePoint[]): void {
  print(
    '\naccuracy against cost: strategy, budget, ms a post, share, accuracy, less every expert, less minilm',
  )
  for (const { strategy, budget, ms, share, accuracy, lessEveryExpert, lessBest } of points)
    print(
      [
        strategy,
        budget ?? '',
        ms.toFixed(2),
        share.toFixed(3),
        (100 * accuracy).toFixed(1),
        inPoints(lessEveryExpert),
        inPoints(lessBest),
      ].join(' | '),
    )
}

/** An expert that says of every post what is wrong, in the second third of the stream. */
const misledThird = [1 / 3, 2 / 3] as const
const driftLabelShare = 0.2

async function printDrift(
  stream: readonly LabelledPost[],
  experts: readonly Expert[],
  share: number,
) {
  const mixed = driftingMix(stream, seed)
  const streams = {
    'bad news and comments come late': mixed,
    'minilm misled in the second third': corrupted(mixed, 'minilm', misledThird),
    'linear misled in the second third': corrupted(mixed, 'linear', misledThird),
  }
  for (const [title, drifting] of Object.entries(streams)) {
    const run = (player: Parameters<typeof play>[3]) => play(drifting, experts, costs, player)
    const all = await run(everyExpert(experts))
    const options = { budgetMs: share * meanMs(all), isOwnTask: true }
    const learning = { ...options, labelShare: driftLabelShare }
    const anyBudget = 'dynamic, learning, any budget'
    const judges = new Map([
      ['every expert', all],
      ['every expert, learning', await run(everyExpertLearning(experts, driftLabelShare))],
      ['minilm', await run(only('minilm', experts))],
      ['dynamic', await run(cascade(experts, options))],
      ['dynamic, learning', await run(cascade(experts, learning))],
      [anyBudget, await run(cascade(experts, { ...learning, budgetMs: meanMs(all) }))],
    ])
    const thirds = [0, 1, 2].map((third) => ({
      name: `third ${third + 1}`,
      has: (_: LabelledPost, i: number) => Math.floor((3 * i) / drifting.length) === third,
    }))
    print(`\n${title}; ${100 * driftLabelShare}% of the labels come back`)
    const cost = (verdicts: readonly Verdict[]) => (meanMs(verdicts) / meanMs(all)).toFixed(3)
    print(
      `compute: ${[...judges].map(([name, verdicts]) => `${name} ${cost(verdicts)}`).join(', ')}`,
    )
    const pairs = ['dynamic, learning', anyBudget].map(
      (judge) => [judge, 'every expert, learning'] as const,
    )
    print(...accuracyLines(drifting, judges, pairs, thirds))
  }
}

async function bench(folder: string, options: { fit?: boolean; plot?: string }): Promise<void> {
  const corpus = readCorpus(folder)
  const { pipeline, logLevel } = loadConfig({ env: {} })
  const experts = await loadExperts(
    { ...pipeline, workers: { ...pipeline.workers, count: 1 } },
    { clock: systemClock, logger: createLogger({ level: logLevel }) },
  )
  try {
    const fit = await readStream(corpus, experts, 'fit')
    print(`costs, ms a character and 20 more of each text: ${JSON.stringify(msACharacter)}`)
    print(`just now, ms a text by the wall clock: ${JSON.stringify(fit.wallMs)}`)
    const onFit = await courseOf(shuffled(fit.posts, seed), experts)
    const budgets = new Map<Want, number>()
    for (const want of wants) budgets.set(want, await chooseBudget(onFit, want))
    const course = options.fit
      ? onFit
      : await courseOf(shuffled((await readStream(corpus, experts, 'report')).posts, seed), experts)
    print(`\nsplit ${options.fit ? 'fit' : 'report'}, ${course.stream.length} posts`)
    for (const want of wants) await printCourse(course, want, budgets.get(want) ?? 0)
    const points = await curveOf(course)
    printCurve(points)
    if (options.plot !== undefined) writeFileSync(options.plot, await costCurve(points))
    await printDrift(course.stream, experts, budgets.get(wants[0]) ?? 0)
    const { median, best } = allocationMicroseconds(course.stream, experts)
    print(
      `\nallocation: ${median.toFixed(1)} microseconds of processor time a post, ${best.toFixed(1)} in the best pass`,
    )
  } finally {
    await Promise.all(experts.map((expert) => expert.close()))
  }
}

function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}

program
  .description('Play the strategies of the allocator on labelled streams.')
  .argument('<data folder>')
  .option('--fit', 'leave the split report closed')
  .option('--plot <file>', 'draw accuracy against cost')
  .action(bench)
await program.parseAsync()
