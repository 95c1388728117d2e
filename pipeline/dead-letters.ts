/** Where records go that get no verdict of experts: the topic `posts.dead`, with the reason. */
import { inert } from '../infra/inert.ts'
import { type Log, type LogRecord, topics } from '../infra/log/log.ts'
import type { PartitionId } from '../infra/store/store.ts'
import {
  deadLetter,
  decodeJson,
  type LetterClass,
  type LetterDetails,
  type RedriveOf,
} from '../ingest/contract.ts'

/** Why a record is dead. */
export interface Cause {
  readonly class: LetterClass
  /** For people; holds nothing of the text. */
  readonly reason: string
  /** What was thrown; its words may quote the text. */
  readonly error?: unknown
  readonly expert?: string | undefined
  /** The row keeps nothing of the post but its identity: any other column may be what fails. */
  readonly isBare?: true
}

export interface Refused {
  readonly record: LogRecord
  readonly cause: Cause
  /** Of a redriven post. */
  readonly redriveOf?: RedriveOf | undefined
}

const maxStackLength = 4_000
const maxIdLength = 200
const maxSourceLength = 100

/** Durable before the block that records it: a crash between the two repeats the letters under the same keys. */
export async function bury(
  log: Log,
  { logTopic, partition }: PartitionId,
  refused: readonly Refused[],
): Promise<void> {
  if (refused.length === 0) return
  const letters = refused.map(({ record, cause, redriveOf }) =>
    deadLetter(
      { topic: logTopic, partition, ...record },
      cause.reason,
      detailsOf(record, cause),
      redriveOf,
    ),
  )
  await log.append(
    topics.dead,
    letters.map((letter) => ({ key: letter.origin, value: JSON.stringify(letter) })),
  )
}

function detailsOf(record: LogRecord, cause: Cause): LetterDetails {
  const stack = stackOf(cause.error)
  return {
    class: cause.class,
    ...claimsOf(record.value),
    ...(cause.expert !== undefined && { expert: cause.expert }),
    ...(stack !== '' && { stack }),
  }
}

/** What the record says of itself, whether or not it is a post. */
function claimsOf(value: Uint8Array): Pick<LetterDetails, 'postId' | 'source'> {
  const json = decodeJson(value)
  if (!json.ok || typeof json.value !== 'object' || json.value === null) return {}
  const { id, source } = json.value as { readonly id?: unknown; readonly source?: unknown }
  return {
    ...(isShort(id, maxIdLength) && { postId: id.toWellFormed() }),
    ...(isShort(source, maxSourceLength) && { source: source.toWellFormed() }),
  }
}

function isShort(value: unknown, maxLength: number): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    [...value.slice(0, 2 * maxLength + 1)].length <= maxLength
  )
}

/** Line by line inert; '' where nothing was thrown. */
function stackOf(error: unknown): string {
  if (error === undefined) return ''
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return words.slice(0, maxStackLength).toWellFormed().split('\n').map(inert).join('\n')
}
