/** What a letter holds, read back from the log. */
import { type Log, topics } from '../../infra/log/log.ts'
import { recordAt } from '../../infra/log/read-records.ts'
import { type DeadLetter, decodeRecord, maxPayloadBytes, type Post } from '../../ingest/contract.ts'
import { claimsOf } from '../erasure/log.ts'
import type { Claims } from '../erasure/target.ts'
import type { LetterState } from './fold.ts'
import { isDecision, parseDeadRecord } from './record.ts'

export type LetterLog = Pick<Log, 'follow' | 'endOffsets' | 'beginningOffsets'>

/** Whether something that the log took at that time (milliseconds since 1970) is to be forgotten. */
export type IsErased = (claims: Claims, appendedAtMs: number) => boolean

/** Undefined where `posts.dead` does not hold it any more. What is to be forgotten is gone, although Kafka keeps it. */
export async function letterOf(
  log: LetterLog,
  state: LetterState,
  isErased: IsErased,
): Promise<DeadLetter | undefined> {
  const record = await recordAt(log, topics.dead, { partition: 0, offset: state.letter })
  const parsed = record && parseDeadRecord(record.value)
  if (parsed === undefined || isDecision(parsed)) return undefined
  if (!isErased(claimsOf(Buffer.from(parsed.payload)), state.refusedAt)) return parsed
  const { stack: _, ...left } = parsed
  return { ...left, payload: '', erased: true }
}

/** The post, or why there is none: gone with its payload, or never one. */
export type PostFound =
  | { readonly post: Post }
  | { readonly missing: 'gone' | 'no-post'; readonly reason: string }

/** The post of a letter, or why it cannot be appended again as it is. */
export async function postOf(
  log: LetterLog,
  letter: DeadLetter,
  at: { readonly logTopic: string; readonly now: number; readonly isErased: IsErased },
): Promise<PostFound> {
  if (letter.erased) return { missing: 'gone', reason: 'its payload was erased' }
  const bytes = await bytesOf(log, letter, at.logTopic)
  if (bytes === undefined)
    return {
      missing: 'gone',
      reason: `the letter holds ${maxPayloadBytes} of ${letter.payloadBytes} bytes, and the log does not hold the record any more`,
    }
  const decoded = decodeRecord(bytes, at.now)
  if (!decoded.ok) return { missing: 'no-post', reason: `it is no post: ${decoded.reason}` }
  // What was cut off the payload may be what names it.
  const isErased = decoded.erased || at.isErased(decoded.post, Date.parse(letter.appendedAt))
  return isErased ? { missing: 'gone', reason: 'it was erased' } : { post: decoded.post }
}

/** Of a payload that was cut, those of the record itself. */
async function bytesOf(
  log: LetterLog,
  letter: DeadLetter,
  logTopic: string,
): Promise<Uint8Array | undefined> {
  if (letter.payloadBytes <= maxPayloadBytes) return Buffer.from(letter.payload)
  const [topic, partition, offset] = (letter.position ?? letter.origin).split('/')
  if (topic !== logTopic) return undefined
  const at = { partition: Number(partition), offset: Number(offset) }
  const record = await recordAt(log, topics.posts, at)
  const isSame =
    record?.value.byteLength === letter.payloadBytes &&
    record.value.subarray(0, maxPayloadBytes).toString().startsWith(letter.payload)
  return isSame ? record?.value : undefined
}
