/** `tickertone feedback`: gives labels to a running monitor, one from the arguments or a file of them. */
import { createReadStream } from 'node:fs'
import { Command, Option } from 'commander'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import { decodeJson } from '../ingest/contract.ts'
import { readLines } from '../ingest/lines.ts'
import { tasks } from '../pipeline/contract.ts'
import { maxLabelBytes } from '../pipeline/feedback/label.ts'
import type { LabelResult, LabelVerdict } from '../pipeline/routes/feedback.ts'
import { runningMonitor } from './api.ts'
import { sizeOf } from './input-file.ts'
import { type ConfigOptions, configFrom, withMonitor } from './options.ts'

interface FeedbackFlags extends ConfigOptions {
  readonly file?: string
  readonly task?: string
  readonly label?: string
  readonly labeller?: string
  readonly json?: boolean
}

interface Row {
  readonly line: number
  readonly label: object
}

interface Refused {
  readonly line: number
  readonly message: string
}

/** Of a request. */
const rowsAtOnce = 200
/** Refused rows that are named; the others are counted. */
const maxListed = 20

export function feedbackCommand(): Command {
  return withMonitor(new Command('feedback'))
    .description('Say what a post is: labels teach the weights of the experts')
    .argument('[post id]', 'of the newest scored version')
    .addOption(new Option('--task <task>', 'what the label is of').choices(tasks))
    .option('--label <name>', 'such as negative, or Earnings')
    .option('--labeller <name>', 'who says so; in a file, of rows that do not say')
    .option('--file <file>', 'NDJSON of {"post_id", "task", "label", "labeller"?}')
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      '\nA file may be sent again: labels that stand already are not recorded twice.\nExit codes: 0 every label accepted, 1 some not, 2 wrong usage.',
    )
    .action(async (postId: string | undefined, flags: FeedbackFlags) => {
      const chunks = flags.file === undefined ? [[oneRow(postId, flags)]] : fileRows(postId, flags)
      const monitor = await runningMonitor(configFrom(flags))
      process.exitCode = report(await give(`${monitor}/api/feedback`, chunks), flags)
    })
}

function oneRow(postId: string | undefined, { task, label, labeller }: FeedbackFlags): Row {
  if (postId === undefined || task === undefined || label === undefined)
    throw new AppError('USAGE', 'Name a post with --task and --label, or a --file')
  return { line: 1, label: { post_id: postId, task, label, labeller } }
}

/** In requests. Bad lines come as reasons; nothing of them is sent. */
async function* fileRows(
  postId: string | undefined,
  { file = '', labeller }: FeedbackFlags,
): AsyncGenerator<(Row | Refused)[]> {
  if (postId !== undefined) throw new AppError('USAGE', 'Name a post or a --file, not both')
  await sizeOf(file)
  let rows: (Row | Refused)[] = []
  for await (const lines of readLines(createReadStream(file), maxLabelBytes))
    for (const { number: line, bytes } of lines) {
      rows.push(rowOf(line, bytes, labeller))
      if (rows.length < rowsAtOnce) continue
      yield rows
      rows = []
    }
  yield rows
}

function rowOf(
  line: number,
  bytes: Uint8Array | undefined,
  labeller: string | undefined,
): Row | Refused {
  if (bytes === undefined) return { line, message: `larger than ${maxLabelBytes} bytes` }
  const json = decodeJson(bytes)
  if (!json.ok) return { line, message: json.reason }
  const { value } = json
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { line, message: 'a label must be a JSON object' }
  return { line, label: labeller === undefined ? value : { labeller, ...value } }
}

interface Outcome {
  accepted: number
  repeated: number
  readonly refused: Refused[]
  readonly retry: Refused[]
}

type Chunks = AsyncIterable<readonly (Row | Refused)[]> | readonly (readonly Row[])[]

async function give(url: string, chunks: Chunks): Promise<Outcome> {
  const outcome: Outcome = { accepted: 0, repeated: 0, refused: [], retry: [] }
  for await (const chunk of chunks) {
    const sent: Row[] = []
    for (const row of chunk) {
      if ('label' in row) sent.push(row)
      else outcome.refused.push(row)
    }
    const verdicts = await post(
      url,
      sent.map(({ label }) => label),
    )
    for (const verdict of verdicts) count(outcome, verdict, sent[verdict.index]?.line ?? 0)
  }
  return outcome
}

function count(outcome: Outcome, { verdict, repeated, message = '' }: LabelVerdict, line: number) {
  if (verdict === 'accepted') {
    outcome.accepted++
    if (repeated) outcome.repeated++
  } else outcome[verdict === 'retry' ? 'retry' : 'refused'].push({ line, message })
}

/** A status that speaks of labels comes with their verdicts. */
async function post(url: string, labels: readonly object[]): Promise<readonly LabelVerdict[]> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(labels),
  }).catch((cause: unknown) => {
    throw new AppError('NOT_RUNNING', `Nothing answers at ${url}`, { cause })
  })
  const result = (await response.json().catch(() => ({}))) as Partial<LabelResult>
  if (result.rows !== undefined) return result.rows
  throw new AppError('STORE', result.error?.message ?? `${url} answered ${response.status}`)
}

function report(outcome: Outcome, { file, json }: FeedbackFlags): number {
  const { accepted, repeated, refused, retry } = outcome
  if (json) process.stdout.write(`${JSON.stringify(outcome)}\n`)
  else {
    const named = [...refused, ...retry].sort((a, b) => a.line - b.line)
    for (const { line, message } of named.slice(0, maxListed))
      process.stderr.write(
        `${file === undefined ? 'tickertone' : `${inert(file)}:${line}`}: ${inert(message)}\n`,
      )
    if (named.length > maxListed) process.stderr.write(`and ${named.length - maxListed} more\n`)
    process.stdout.write(
      `${accepted} accepted${repeated > 0 ? ` (${repeated} stood there already)` : ''}, ${refused.length} refused, ${retry.length} to send again\n`,
    )
  }
  return refused.length + retry.length > 0 ? 1 : 0
}
