/** `tickertone allocation`: who judges what in a running monitor, and other strategies for its streams. */
import { Command, Option } from 'commander'
import { inert } from '../infra/inert.ts'
import { fusionMethods, strategies } from '../pipeline/contract.ts'
import type { Allocation, StreamsChange } from '../pipeline/routes/allocation.ts'
import { ask, runningMonitor } from './api.ts'
import { type ConfigOptions, configFrom, withMonitor } from './options.ts'

type ShowOptions = ConfigOptions & { readonly json?: boolean }
type SetOptions = ShowOptions & Pick<StreamsChange, 'strategy' | 'fusion'>

export function allocationCommand(): Command {
  const show = withMonitor(new Command('show'))
    .description('Print streams, experts, strategies and weights as they are now')
    .option('--json', 'print one JSON document')
    .action(async (options: ShowOptions) =>
      print(await ask(await addressOf(options)), options.json),
    )
  const set = withMonitor(new Command('set'))
    .description('Choose strategies, on every instance and without a restart')
    .argument(
      '[streams...]',
      'like kind=comment:dynamic or source=desk:static/vote; none: no streams',
    )
    .addOption(new Option('--strategy <name>', 'of all other posts').choices(strategies))
    .addOption(new Option('--fusion <name>', 'where a stream names none').choices(fusionMethods))
    .option('--json', 'print one JSON document')
    .action(async (streams: string[], options: SetOptions) => {
      const { strategy, fusion } = options
      const change: StreamsChange = {
        streams,
        ...(strategy && { strategy }),
        ...(fusion && { fusion }),
      }
      const answer = await ask<Allocation>(await addressOf(options), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(change),
      })
      print(answer, options.json)
    })
  return new Command('allocation')
    .description('Who judges what in the running monitor')
    .addCommand(show, { isDefault: true })
    .addCommand(set)
}

async function addressOf(options: ConfigOptions): Promise<string> {
  return `${await runningMonitor(configFrom(options))}/api/allocation`
}

function print(allocation: Allocation, json = false): void {
  process.stdout.write(json ? `${JSON.stringify(allocation)}\n` : allocationText(allocation))
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`
const shares = (values: Readonly<Record<string, number>>) =>
  Object.entries(values)
    .map(([name, share]) => `${inert(name)} ${percent(share)}`)
    .join(', ')

/** Names and streams are strangers' text on a terminal. */
export function allocationText(allocation: Allocation): string {
  const { strategy, fusion, streams, controlOffset, experts, budget, weights, stream, feedback } =
    allocation
  const price =
    budget.price === null ? 'only the cheapest run' : `price ${budget.price.toPrecision(3)} a ms`
  return `${[
    `Streams (${controlOffset < 0 ? 'of the config' : `control ${controlOffset}`})`,
    ...streams.map((stream) => `  ${inert(stream)}`),
    `  all others: ${strategy}/${fusion}`,
    'Experts',
    ...experts.map(expertLine),
    'Strategies',
    ...Object.entries(allocation.strategies).map(([name, figures]) => strategyLine(name, figures)),
    `Budget: ${budget.budgetMs} ms a post, ${price}${budget.overloaded ? ', overloaded' : ''}`,
    `Weights of dynamic (${weights.version < 0 ? 'no feedback yet' : `feedback ${weights.version}`})`,
    ...weights.contexts.map(
      ({ task, kind, language, textLength, weights: given }) =>
        `  ${task}, ${kind}, ${inert(language)}, ${textLength} characters: ${shares(given)}`,
    ),
    `Feedback: ${feedback.learned} labels learned, ${feedback.repeated} repeated, ${feedback.skipped} records skipped${feedback.failure === null ? '' : `; learns no more: ${inert(feedback.failure)}`}`,
    ...feedback.drifts.map(driftLine),
    'Stream',
    ...(stream.length === 0 ? ['  no posts'] : stream.map(contextLine)),
  ].join('\n')}\n`
}

function driftLine(drift: Allocation['feedback']['drifts'][number]): string {
  const { task, kind, judge, at, before, since } = drift
  return `  drift at ${at}: ${inert(judge)} on ${task}, ${kind}: errors ${percent(before)} -> ${percent(since)}`
}

function contextLine(context: Allocation['stream'][number]): string {
  const { kind, language, posts, lastChange } = context
  const changes = lastChange?.signals.map(
    ({ signal, before, after }) => `${signal} ${before.toFixed(3)} -> ${after.toFixed(3)}`,
  )
  const change =
    lastChange === null ? 'no change' : `changed at ${lastChange.atPost}: ${changes?.join(', ')}`
  return `  ${kind}, ${inert(language)}: ${posts} posts, ${change}`
}

function expertLine(expert: Allocation['experts'][number]): string {
  const { name, version, tasks, shadow, circuit, failure, costMs } = expert
  const state = failure === null ? circuit : `${circuit}: ${inert(failure)}`
  const role = shadow ? ', shadow' : ''
  return `  ${inert(name)} ${inert(version)} (${tasks.join(', ')}${role}): ${costMs.toFixed(3)} ms, ${state}`
}

function strategyLine(name: string, figures: Allocation['strategies'][string]): string {
  const { posts, share, degraded, costMs, confidence, runs } = figures
  if (posts === 0) return `  ${inert(name)}: no posts`
  return `  ${inert(name)}: ${posts} posts (${percent(share)}), ${percent(degraded)} degraded, ${costMs.toFixed(3)} ms a post, confidence ${confidence.toFixed(3)}; ran: ${shares(runs)}`
}
