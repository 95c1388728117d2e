/** Whether the log of a partition is the one that was stored: what it holds at the mark must be what the table holds there. Pure. */
import { AppError } from '../../infra/errors.ts'
import type { LogRecord } from '../../infra/log/log.ts'
import type { LastRow } from '../../infra/store/offsets.ts'
import type { PartitionId } from '../../infra/store/store.ts'
import { decodeJson, decodeRecord } from '../../ingest/contract.ts'

/** What the log says of a partition, read after the table: what another process stores meanwhile never looks like a log that ends too early. */
export interface LogAtMark {
  readonly end: number
  /** The record at the mark; undefined where the log has none, or it was not read. */
  readonly record?: Pick<LogRecord, 'value' | 'timestamp'> | undefined
}

/** Why it is another log; undefined while nothing says so. */
export function replacedBecause(last: LastRow, { end, record }: LogAtMark): string | undefined {
  if (end <= last.mark) return `the log ends at ${end}, below the stored ${last.mark}`
  if (record === undefined || isStoredAs(last, record)) return undefined
  return `another record is at offset ${last.mark}`
}

/**
 * A row may be younger than its record: it is as old as the latest record before it, when clocks of brokers went back. A gap had no
 * record. What is no post has no id; one whose text was erased since keeps its own.
 */
function isStoredAs(last: LastRow, record: Pick<LogRecord, 'value' | 'timestamp'>): boolean {
  if (last.outcome === 'gap' || record.timestamp > last.appendedAt) return false
  if (last.postId === '') return !decodeRecord(record.value, last.appendedAt).ok
  return idOf(record.value) === last.postId
}

function idOf(value: Uint8Array): string | undefined {
  const json = decodeJson(value)
  if (!json.ok || typeof json.value !== 'object' || json.value === null) return undefined
  const { id } = json.value as { readonly id?: unknown }
  return typeof id === 'string' ? id.toWellFormed() : undefined
}

export function logReplaced({ logTopic, partition }: PartitionId, why: string): AppError {
  const [topic] = logTopic.split('@')
  return new AppError(
    'LOG_REPLACED',
    `${logTopic}/${partition} is not the log that was stored: ${why}. Put the old log back, or run \`tickertone epoch start ${topic}\` to store the new one beside the old rows`,
  )
}
