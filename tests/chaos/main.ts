/**
 * npm run chaos -- --runs N --seed S [--first R] [--only FAULT] [--jobs J] [--broker] [--break HOW]
 *
 * Runs the pipeline under faults, N times, and compares what was sent with what is stored. Each run follows a plan that seed and number
 * decide. The last line is `runs N lost 0 doubled 0 gaps 0`, and the exit code 0, only when nothing was found.
 */
import { parseArgs } from 'node:util'
import { breakages, isBreakage } from './breakage.ts'
import { isFault } from './faults.ts'
import { isClean, lastLine, runAll } from './runs.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    jobs: { type: 'string', default: '1' },
    broker: { type: 'boolean', default: false },
    only: { type: 'string' },
    break: { type: 'string' },
  },
})

function integer(name: 'runs' | 'seed' | 'first' | 'jobs', least: number): number {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new RangeError(`--${name} must be an integer from ${least} on`)
}

const { only, break: breakage } = values
const target = values.broker ? 'broker' : 'embedded'
if (only !== undefined && !isFault(only, target)) throw new RangeError(`--only: no fault '${only}'`)
if (breakage !== undefined && !isBreakage(breakage))
  throw new RangeError(`--break must be one of ${Object.keys(breakages).join(', ')}`)

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const totals = await runAll({
  runs: integer('runs', 1),
  seed: integer('seed', 0),
  first: integer('first', 0),
  jobs: integer('jobs', 1),
  target,
  only,
  breakage,
  report: say,
})

const names = Object.keys(totals.planned).toSorted()
say(`${totals.records} records in ${Math.round(performance.now() / 1_000)} s; struck of planned:`)
for (const name of names) {
  const [struck = 0, planned = 0] = [totals.struck[name], totals.planned[name]]
  say(`  ${name} ${struck} of ${planned}${struck === 0 ? ': NEVER STRUCK' : ''}`)
}
process.stdout.write(`${lastLine(totals)}\n`)
process.exitCode = isClean(totals) ? 0 : 1
