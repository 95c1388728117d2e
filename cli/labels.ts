/** `tickertone labels`: the label queue of a running monitor, and what the labels say. */
import { Command, Option } from 'commander'
import { inert } from '../infra/inert.ts'
import { type Task, tasks } from '../pipeline/contract.ts'
import type { QueuedPost } from '../pipeline/feedback/queue.ts'
import type { LabelStats } from '../pipeline/feedback/stats.ts'
import type { LabelResult } from '../pipeline/routes/feedback.ts'
import { ask, runningMonitor } from './api.ts'
import { type ConfigOptions, configFrom, withMonitor } from './options.ts'

interface QueueFlags extends ConfigOptions {
  readonly labeller: string
  readonly task: Task
}

interface Next {
  readonly labels: readonly string[]
  readonly posts: readonly QueuedPost[]
}

export function labelsCommand(): Command {
  return new Command('labels')
    .description('The label queue, and what the labels say')
    .addCommand(nextCommand())
    .addCommand(answerCommand())
    .addCommand(skipCommand())
    .addCommand(statsCommand())
}

function withLabeller(command: Command): Command {
  return withMonitor(command)
    .option('--labeller <name>', 'who labels', 'anonymous')
    .addOption(
      new Option('--task <task>', 'what the label is of').choices(tasks).default('sentiment'),
    )
}

function nextCommand(): Command {
  return withLabeller(new Command('next'))
    .description('Show the posts that wait for a label')
    .option('--limit <number>', 'how many, at most 100', '10')
    .option('--json', 'print one JSON document')
    .action(async (flags: QueueFlags & { limit: string; json?: boolean }) => {
      const { labeller, task, limit } = flags
      const monitor = await runningMonitor(configFrom(flags))
      const query = new URLSearchParams({ labeller, task, limit })
      const next = await ask<Next>(`${monitor}/api/labels/next?${query}`)
      print(flags.json ? [JSON.stringify(next)] : postLines(next))
    })
}

function postLines({ labels, posts }: Next): string[] {
  if (posts.length === 0) return ['Nothing waits for a label.']
  return [
    ...posts.map(({ post_id, version, source, title, text }) =>
      inert(`${post_id}  version ${version}  ${source}  ${title}  ${text}`),
    ),
    `Labels: ${labels.join(', ')}`,
  ]
}

function answerCommand(): Command {
  return withLabeller(new Command('answer'))
    .description('Label a post that the queue showed')
    .argument('<post id>')
    .requiredOption('--label <name>', 'such as negative, or Earnings')
    .option('--post-version <number>', 'of the post, as the queue showed it', Number)
    .action(async (postId: string, flags: QueueFlags & { label: string; postVersion?: number }) => {
      const { task, label, labeller, postVersion: version } = flags
      const monitor = await runningMonitor(configFrom(flags))
      await ask<LabelResult>(`${monitor}/api/labels`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ post_id: postId, version, task, label, labeller }),
      })
      print(['Recorded.'])
    })
}

function skipCommand(): Command {
  return withLabeller(new Command('skip'))
    .description('Leave out a post that you cannot judge: the queue does not show it to you again')
    .argument('<post id>')
    .option('--post-version <number>', 'of the post, as the queue showed it', Number)
    .action(async (postId: string, flags: QueueFlags & { postVersion?: number }) => {
      const { task, labeller, postVersion: version } = flags
      const monitor = await runningMonitor(configFrom(flags))
      await ask(`${monitor}/api/labels/skip`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ post_id: postId, version, task, labeller }),
      })
      print(['Skipped.'])
    })
}

function statsCommand(): Command {
  return withMonitor(new Command('stats'))
    .description('Show counts, agreement of labellers, and accuracy with 95% intervals')
    .option('--json', 'print one JSON document')
    .action(async (flags: ConfigOptions & { json?: boolean }) => {
      const monitor = await runningMonitor(configFrom(flags))
      const stats = await ask<LabelStats>(`${monitor}/api/labels/stats`)
      print(flags.json ? [JSON.stringify(stats)] : statLines(stats))
    })
}

/** Tables with tabs between the columns. */
function statLines({ counted_at, counts, skips, agreement, accuracy }: LabelStats): string[] {
  return [
    inert(`Counted at ${counted_at}`),
    '',
    'task\torigin\tlabeller\tlabels\tposts',
    ...counts.map((row) => cells(row.task, row.origin, row.labeller, row.labels, row.posts)),
    ...skips.map((row) => cells(row.task, 'skipped', row.labeller, '-', row.posts)),
    '',
    'task\tlabellers\tposts\tagreed\tkappa',
    ...agreement.map((row) =>
      cells(
        row.task,
        row.labellers.join(' and '),
        row.posts,
        row.agreed.toFixed(3),
        row.kappa?.toFixed(3) ?? '-',
      ),
    ),
    '',
    'task\tkind\tsample\tjudge\tposts\taccuracy\t95% interval',
    ...accuracy.map((row) =>
      cells(
        row.task,
        row.kind === '' ? 'all' : row.kind,
        row.sample,
        `${row.judge} ${row.judge_version}`,
        row.posts,
        row.accuracy.toFixed(3),
        `${row.low.toFixed(3)} to ${row.high.toFixed(3)}`,
      ),
    ),
  ]
}

function cells(...values: readonly (string | number)[]): string {
  return values.map((value) => inert(String(value))).join('\t')
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}
