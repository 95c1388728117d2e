/** Many runs, and their sum. */
import type { Breakage } from './breakage.ts'
import { BrokerRunner } from './broker-run.ts'
import { EmbeddedRunner } from './embedded-run.ts'
import type { Target } from './faults.ts'
import { countedAs } from './history.ts'
import { describePlan, drawPlan, type Plan } from './plan.ts'
import { emptyStore, type Runner, type RunResult } from './run.ts'

export interface RunsOptions {
  readonly runs: number
  readonly seed: number
  /** Number of the first run. */
  readonly first: number
  readonly jobs: number
  readonly target: Target
  readonly only?: string | undefined
  readonly breakage?: Breakage | undefined
  /** A line for people. */
  readonly report: (line: string) => void
}

export interface Totals {
  runs: number
  lost: number
  doubled: number
  gaps: number
  /** Runs that did not come to their end. */
  failed: number
  records: number
  planned: Record<string, number>
  struck: Record<string, number>
}

export async function runAll(options: RunsOptions): Promise<Totals> {
  const totals: Totals = {
    runs: 0,
    lost: 0,
    doubled: 0,
    gaps: 0,
    failed: 0,
    records: 0,
    planned: {},
    struck: {},
  }
  const template = await emptyStore()
  let next = options.first
  const work = async () => {
    const Own = options.target === 'broker' ? BrokerRunner : EmbeddedRunner
    const runner = new Own(template.path, options.breakage)
    try {
      while (next < options.first + options.runs) {
        const run = next
        next += 1
        await runOne(runner, run, options, totals)
      }
    } finally {
      await runner.close()
    }
  }
  try {
    await Promise.all(Array.from({ length: options.jobs }, work))
  } finally {
    template.remove()
  }
  return totals
}

/** The last line of all. */
export function lastLine({ runs, lost, doubled, gaps, failed }: Totals): string {
  const line = `runs ${runs} lost ${lost} doubled ${doubled} gaps ${gaps}`
  return failed === 0 ? line : `${line} failed ${failed}`
}

export const isClean = ({ lost, doubled, gaps, failed }: Totals): boolean =>
  lost + doubled + gaps + failed === 0

async function runOne(
  runner: Runner,
  run: number,
  options: RunsOptions,
  totals: Totals,
): Promise<void> {
  const plan = drawPlan({ ...options, run })
  totals.runs += 1
  try {
    const result = await runner.run(plan)
    add(totals, result)
    if (result.findings.length > 0) options.report(failure(run, options, plan, wordsOf(result)))
  } catch (error) {
    totals.failed += 1
    const why = error instanceof Error ? error.message : String(error)
    options.report(failure(run, options, plan, [`failed: ${why}`]))
  }
  if (totals.runs % 10 === 0) options.report(`${totals.runs} of ${options.runs} runs done`)
}

function add(totals: Totals, { findings, planned, struck, records }: RunResult): void {
  for (const { kind } of findings) totals[countedAs[kind]] += 1
  for (const name of planned) totals.planned[name] = (totals.planned[name] ?? 0) + 1
  for (const name of struck) totals.struck[name] = (totals.struck[name] ?? 0) + 1
  totals.records += records
}

const mostShown = 20

function wordsOf({ findings, struck }: RunResult): string[] {
  const shown = findings.slice(0, mostShown)
  const more = findings.length > mostShown ? [`and ${findings.length - mostShown} more`] : []
  return [
    `struck: ${struck.join(', ')}`,
    ...shown.map(
      ({ kind, partition, offset, detail }) => `${kind} at ${partition}/${offset}: ${detail}`,
    ),
    ...more,
  ]
}

function failure(
  run: number,
  { seed, target, only, breakage }: RunsOptions,
  plan: Plan,
  words: readonly string[],
): string {
  const more = [
    ...(target === 'broker' ? ['--broker'] : []),
    ...(only ? ['--only', only] : []),
    ...(breakage ? ['--break', breakage] : []),
  ]
  const again = ['npm run chaos -- --runs 1', '--seed', seed, '--first', run, ...more].join(' ')
  return [
    `run ${run}:`,
    ...words.map((word) => `  ${word}`),
    describePlan(plan),
    `  repeat: ${again}`,
  ].join('\n')
}
