/** `tickertone deadletters`: the records that a running monitor refused, and what to do about them. */
import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { AppError } from '../infra/errors.ts'
import { inert } from '../infra/inert.ts'
import { decodeJson, letterClasses, maxPostBytes, tooLarge } from '../ingest/contract.ts'
import { letterStates } from '../pipeline/deadletters/fold.ts'
import type { Letter, LetterDetail } from '../pipeline/deadletters/letters.ts'
import type { BulkResult } from '../pipeline/routes/deadletters.ts'
import { ask, runningMonitor } from './api.ts'
import { sizeOf } from './input-file.ts'
import { type ConfigOptions, configFrom, withMonitor } from './options.ts'

interface FilterFlags extends ConfigOptions {
  readonly class?: string
  readonly reason?: string
  readonly source?: string
  readonly from?: string
  readonly to?: string
  readonly limit?: string
  readonly json?: boolean
}

interface DecisionFlags extends FilterFlags {
  readonly by: string
  readonly note: string
  readonly yes?: boolean
}

interface Page {
  readonly letters: readonly Letter[]
  readonly before: string | null
}

export function deadLettersCommand(): Command {
  return new Command('deadletters')
    .description('Records that were refused: list, show, redrive or drop them')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(redriveCommand())
    .addCommand(dropCommand())
}

function withFilter(command: Command): Command {
  return withMonitor(command)
    .addOption(new Option('--class <class>', 'kind of the reason').choices(letterClasses))
    .option('--reason <words>', 'a part of the reason')
    .option('--source <name>', 'as the record says')
    .option('--from <time>', 'letters from this time on, RFC 3339 with a zone')
    .option('--to <time>', 'letters before this time')
}

function withDecision(command: Command): Command {
  return withFilter(command)
    .option('--by <name>', 'who decides', 'anonymous')
    .option('--note <words>', 'why', '')
    .option('--limit <number>', 'how many at most, up to 1000', '100')
    .option('--yes', 'do it for all that the filter names; without it they are only counted')
    .option('--json', 'print one JSON document')
}

function listCommand(): Command {
  return withFilter(new Command('list'))
    .description('Show letters, newest first')
    .addOption(new Option('--state <state>', 'what became of them').choices(letterStates))
    .option('--limit <number>', 'how many, at most 1000', '50')
    .option('--before <cursor>', 'the next page, as the last one says')
    .option('--json', 'print one JSON document')
    .action(async (flags: FilterFlags & { state?: string; before?: string }) => {
      const { state, before, limit } = flags
      const monitor = await runningMonitor(configFrom(flags))
      const query = new URLSearchParams(given({ state, before, limit, ...filterOf(flags) }))
      const page = await ask<Page>(`${monitor}/api/deadletters?${query}`)
      print(flags.json ? [JSON.stringify(page)] : pageLines(page))
    })
}

function showCommand(): Command {
  return withMonitor(new Command('show'))
    .description('Show a letter with its payload and stack')
    .argument('<id>', 'of the letter, or its origin')
    .option('--json', 'print one JSON document')
    .action(async (id: string, flags: ConfigOptions & { json?: boolean }) => {
      const monitor = await runningMonitor(configFrom(flags))
      const letter = await ask<LetterDetail>(`${monitor}${pathOf(id)}`)
      print(flags.json ? [JSON.stringify(letter)] : detailLines(letter))
    })
}

function redriveCommand(): Command {
  return withDecision(new Command('redrive'))
    .description('Append the posts of letters anew')
    .argument('[ids...]', 'of letters; without any, those that the filter names')
    .option('--post <file>', 'JSON of a post to append in place of the payload')
    .action(async (ids: string[], flags: DecisionFlags & { post?: string }) => {
      if (flags.post !== undefined && ids.length !== 1)
        throw new AppError('USAGE', '--post mends one letter: name its id')
      const post = flags.post === undefined ? undefined : await postIn(flags.post)
      await decide('redrive', ids, flags, { post })
    })
}

function dropCommand(): Command {
  return withDecision(new Command('drop'))
    .description('Close letters without a redrive')
    .argument('[ids...]', 'of letters; without any, those that the filter names')
    .action((ids: string[], flags: DecisionFlags) => decide('drop', ids, flags, {}))
}

async function decide(
  action: 'redrive' | 'drop',
  ids: readonly string[],
  flags: DecisionFlags,
  extra: object,
): Promise<void> {
  const monitor = await runningMonitor(configFrom(flags))
  const { by, note } = flags
  for (const id of ids) {
    const letter = await send<Letter>(`${monitor}${pathOf(id)}/${action}`, { by, note, ...extra })
    print(flags.json ? [JSON.stringify(letter)] : [letterLine(letter)])
  }
  if (ids.length > 0) return
  const result = await send<BulkResult>(`${monitor}/api/deadletters/${action}`, {
    by,
    note,
    ...given(filterOf(flags)),
    limit: Number(flags.limit),
    dry_run: flags.yes !== true,
  })
  print(flags.json ? [JSON.stringify(result)] : bulkLines(action, result))
}

function filterOf({ class: wanted, reason, source, from, to }: FilterFlags) {
  return { class: wanted, reason, source, from, to }
}

function given(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

function pathOf(id: string): string {
  return `/api/deadletters/${encodeURIComponent(id)}`
}

function send<T>(url: string, body: object): Promise<T> {
  return ask<T>(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function postIn(file: string): Promise<unknown> {
  if ((await sizeOf(file)) > maxPostBytes) throw new AppError('USAGE', `${file} is ${tooLarge}`)
  const json = decodeJson(await readFile(file))
  if (!json.ok) throw new AppError('USAGE', `${file} is ${json.reason}`)
  return json.value
}

/** Tabs between the columns. */
function pageLines({ letters, before }: Page): string[] {
  if (letters.length === 0) return ['No letters.']
  const next = before === null ? [] : [`More: --before ${before}`]
  return ['id\tstate\tclass\tattempts\tsource\tburied\treason', ...letters.map(letterLine), ...next]
}

function letterLine(letter: Letter): string {
  const { id, state, class: kind, attempts, source, buried_at, reason, redriven_to } = letter
  const where = state === 'redriven' ? `to ${redriven_to}` : reason
  return [id, state, kind, attempts, source || '-', buried_at, where]
    .map((value) => inert(String(value)))
    .join('\t')
}

function detailLines({ payload, stack, ...letter }: LetterDetail): string[] {
  const fields = Object.entries(letter).filter(([, value]) => value !== '' && value !== false)
  return [
    ...fields.map(([name, value]) => `${name}: ${inert(String(value))}`),
    ...(stack === '' ? [] : ['', 'stack:', ...stack.split('\n').map((line) => `  ${inert(line)}`)]),
    '',
    'payload:',
    ...payload.split('\n').map((line) => `  ${inert(line)}`),
  ]
}

function bulkLines(action: string, { matched, done, refused, dry_run }: BulkResult): string[] {
  if (dry_run) return [`${matched} open letters; --yes would ${action} them.`]
  return [
    `${done} of ${matched} open letters: ${action === 'drop' ? 'dropped' : 'redriven'}.`,
    ...refused.map(({ id, message }) => inert(`${id}: ${message}`)),
  ]
}

function print(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}
