/** A row of a labelled file, checked: what a user brings is a value or a reason. Reasons hold nothing of the row. */
import Compile from 'typebox/compile'
import {
  decodeJson,
  kinds,
  maxPostBytes,
  maxTextLength,
  Post,
  tooLarge,
} from '../../ingest/contract.ts'
import { labelsOf, type Task } from '../contract.ts'

export interface LabelledText {
  readonly kind: Post['kind']
  readonly text: string
  /** Empty without one. */
  readonly title: string
  /** Index into the task's labels. */
  readonly label: number
}

export type LabelledRow =
  | { readonly outcome: 'labelled'; readonly row: LabelledText }
  /** The task's field is absent, null or blank. */
  | { readonly outcome: 'unlabelled' }
  | { readonly outcome: 'bad'; readonly reason: string }

export interface RowRules {
  readonly task: Task
  /** Of rows that name none. */
  readonly defaultKind: Post['kind']
}

/** Of a line's bytes without its end; undefined for one of more than maxPostBytes. */
export function readLabelledRow(bytes: Uint8Array | undefined, rules: RowRules): LabelledRow {
  if (bytes === undefined || bytes.byteLength > maxPostBytes) return bad(tooLarge)
  const json = decodeJson(bytes)
  return json.ok ? parseLabelledRow(json.value, rules) : bad(json.reason)
}

const texts = Compile(Post.properties.text)
const titles = Compile(Post.properties.title)

/** Labels and kinds in any case. Limits are those of posts: what could not be served is not evaluated. */
export function parseLabelledRow(value: unknown, { task, defaultKind }: RowRules): LabelledRow {
  if (!isRecord(value)) return bad('a row must be a JSON object')
  const written = value[task]
  if (isMissing(written)) return { outcome: 'unlabelled' }
  const label = labelIndex(labelsOf[task], written)
  if (label < 0) return bad(`${task}: ${labelRule(task, written)}`)
  const kind = isMissing(value.kind) ? defaultKind : kinds[labelIndex(kinds, value.kind)]
  if (kind === undefined) return bad(`kind: must be one of ${kinds.join(', ')}`)
  if (isMissing(value.text)) return bad('text: missing')
  if (!texts.Check(value.text))
    return bad(`text: must be a string of at most ${maxTextLength} characters`)
  const title = value.title ?? ''
  if (!titles.Check(title)) return bad('title: must be a string of at most 1000 characters')
  const row = { kind, label, text: value.text.toWellFormed(), title: title.toWellFormed() }
  return { outcome: 'labelled', row }
}

/** Data sets number the same labels differently (neutral is 1 here and 2 there): a number would be measured against the wrong ones without a word. */
function labelRule(task: Task, written: unknown): string {
  const names = `must be one of ${labelsOf[task].join(', ')}`
  return typeof written === 'number' ? `${names}; a number does not say which` : names
}

function labelIndex(labels: readonly string[], written: unknown): number {
  if (typeof written !== 'string') return -1
  const wanted = written.trim().toLowerCase()
  return labels.findIndex((label) => label.toLowerCase() === wanted)
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function bad(reason: string): LabelledRow {
  return { outcome: 'bad', reason }
}
