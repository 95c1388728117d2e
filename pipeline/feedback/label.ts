/** A label as somebody gives it, checked, and what became of it. Bad input is a value with a stable reason that holds nothing of the input. */
import { inert } from '../../infra/inert.ts'
import { decodeJson } from '../../ingest/contract.ts'
import { labelsOf, type Task, tasks } from '../contract.ts'

/** Whether whoever labelled was shown the post by the queue, or chose it: only the first is a sample. */
export type Through = 'queue' | 'feedback'

export interface Label {
  readonly postId: string
  /** The newest scored one where it is absent. */
  readonly version: number | undefined
  readonly task: Task
  /** Index into the task's labels. */
  readonly label: number
  readonly labeller: string
}

/** Stable names of what can be wrong, with the HTTP status of a request that holds nothing else. */
export const refusals = {
  invalid: 400,
  'unknown-task': 400,
  'unknown-label': 400,
  'unknown-post': 404,
  'unknown-version': 404,
  'not-in-queue': 409,
  erased: 410,
  dead: 422,
  unsupported: 422,
  duplicate: 422,
  'no-expert': 422,
  unreadable: 422,
} as const
export type RefusalReason = keyof typeof refusals

/** What passes by itself: sending the label again is right. */
export const delays = {
  'not-scored': 409,
  'expert-failed': 503,
  'log-refused': 503,
} as const
export type DelayReason = keyof typeof delays

export interface Refused {
  readonly verdict: 'refused'
  readonly reason: RefusalReason
  readonly message: string
}

export interface Delayed {
  readonly verdict: 'retry'
  readonly reason: DelayReason
  readonly message: string
}

export type NotTaken = Refused | Delayed

export type Taken =
  | {
      readonly verdict: 'accepted'
      /** In topic `feedback`. */
      readonly offset: number
      /** The same label of the same labeller stood there already. */
      readonly repeated: boolean
    }
  | NotTaken

export const refuse = (reason: RefusalReason, message: string): Refused => ({
  verdict: 'refused',
  reason,
  message,
})

export const notNow = (reason: DelayReason, message: string): Delayed => ({
  verdict: 'retry',
  reason,
  message,
})

export const maxLabelBytes = 4_096
export const maxLabellerLength = 100
export const anonymous = 'anonymous'
const maxPostIdLength = 200

/** Of one JSON document's bytes. */
export function decodeLabel(bytes: Uint8Array): Label | Refused {
  if (bytes.byteLength > maxLabelBytes)
    return refuse('invalid', `larger than ${maxLabelBytes} bytes`)
  const json = decodeJson(bytes)
  return json.ok ? parseLabel(json.value) : refuse('invalid', json.reason)
}

export function isRefused(label: Label | Refused): label is Refused {
  return 'verdict' in label
}

export function parseLabel(value: unknown): Label | Refused {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('invalid', 'a label must be a JSON object')
  const { post_id, version, task, label, labeller = anonymous, ...others } = value as Input
  if (Object.keys(others).length > 0)
    return refuse('invalid', 'only post_id, version, task, label and labeller are known')
  if (!isText(post_id, maxPostIdLength))
    return refuse('invalid', `post_id: must be a string of 1 to ${maxPostIdLength} characters`)
  if (version !== undefined && !isVersion(version))
    return refuse('invalid', 'version: must be a whole number from 1')
  if (!isLabeller(labeller)) return refuse('invalid', labellerRule)
  const known = tasks.find((name) => name === task)
  if (known === undefined) return refuse('unknown-task', `task: must be one of ${tasks.join(', ')}`)
  const index = typeof label === 'string' ? labelsOf[known].indexOf(label) : -1
  if (index < 0)
    return refuse('unknown-label', `label: must be one of ${labelsOf[known].join(', ')}`)
  return { postId: post_id, version, task: known, label: index, labeller }
}

export const labellerRule = `labeller: must be a name of 1 to ${maxLabellerLength} characters, without control characters or white space around it`

/** It is shown to people and stands in logs. */
export function isLabeller(value: unknown): value is string {
  return isText(value, maxLabellerLength) && inert(value) === value
}

type Input = Readonly<
  Partial<Record<'post_id' | 'version' | 'task' | 'label' | 'labeller', unknown>>
>

/** Lengths count Unicode code points; a lone surrogate is no text. */
function isText(value: unknown, maxLength: number): value is string {
  if (typeof value !== 'string' || value === '' || value.length > 2 * maxLength) return false
  return value.isWellFormed() && [...value].length <= maxLength
}

function isVersion(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) < 2 ** 32
}
