/**
 * Forgetting in the log. In the embedded one a post becomes what is left of it (`ErasedPost`) at its offset, under its id and timestamp, so that the
 * store still recognises the log; a letter loses its payload and its stack. Kafka rewrites nothing: there the records are only counted.
 */
import { type Log, topics } from '../../infra/log/log.ts'
import { readTo } from '../../infra/log/read-records.ts'
import type { Replacement } from '../../infra/log/rewrite.ts'
import { decodeJson, decodeRecord, type ErasedPost } from '../../ingest/contract.ts'
import { isDecision, parseDeadRecord } from '../deadletters/record.ts'
import { type Claims, isTargeted, type Target } from './target.ts'

export type ErasableLog = Pick<Log, 'follow' | 'endOffsets' | 'beginningOffsets'> & {
  /** Absent where the log cannot. */
  rewrite?(topic: string, replace: Replacement): Promise<number>
}

/** What is to be forgotten in `posts`: answers how many records were rewritten. */
export async function eraseRecords(log: ErasableLog, target: Target): Promise<number> {
  return (await log.rewrite?.(topics.posts, postReplacement(target))) ?? 0
}

/** Answers the origins of the letters that were rewritten. */
export async function eraseLetters(log: ErasableLog, target: Target): Promise<readonly string[]> {
  const origins: string[] = []
  await log.rewrite?.(topics.dead, letterReplacement(target, origins))
  return origins
}

/** Records and letters that the log holds as they are, because it cannot rewrite them. */
export async function countKept(log: ErasableLog, target: Target): Promise<number> {
  if (log.rewrite !== undefined) return 0
  const { records, letters } = await countInLog(log, target)
  return records + letters
}

export interface Found {
  readonly records: number
  readonly letters: number
}

export async function countInLog(log: ErasableLog, target: Target): Promise<Found> {
  return {
    records: await countIn(log, topics.posts, postReplacement(target)),
    letters: await countIn(log, topics.dead, letterReplacement(target, [])),
  }
}

async function countIn(log: ErasableLog, topic: string, replace: Replacement): Promise<number> {
  const from = await log.beginningOffsets(topic)
  const to = await log.endOffsets(topic)
  let found = 0
  await readTo(log, topic, from, to, (partition, records) => {
    for (const record of records)
      if (record.offset < (to[partition] ?? 0) && replace(record) !== undefined) found += 1
  })
  return found
}

function postReplacement(target: Target): Replacement {
  return ({ value, timestamp }) => {
    if (!isTargeted(target, claimsOf(value))) return undefined
    const decoded = decodeRecord(value, timestamp)
    // What was no post must be none afterwards: the store knows it by no id.
    if (!decoded.ok) return JSON.stringify({ erased: true })
    if (decoded.erased) return undefined
    const { id, source, kind, publishedAt } = decoded.post
    const left: ErasedPost = { erased: true, id, source, kind, publishedAt, text: '' }
    return JSON.stringify(left)
  }
}

function letterReplacement(target: Target, origins: string[]): Replacement {
  return ({ value }) => {
    const letter = parseDeadRecord(value)
    if (letter === undefined || isDecision(letter) || letter.erased) return undefined
    if (!isTargeted(target, claimsOf(Buffer.from(letter.payload)))) return undefined
    origins.push(letter.origin)
    const { stack: _, ...left } = letter
    return JSON.stringify({ ...left, payload: '', erased: true })
  }
}

/** What a record says of itself. Also of what is no JSON, or was cut: its fields are looked for in the text. */
export function claimsOf(value: Uint8Array): Claims {
  const json = decodeJson(value)
  const fields =
    json.ok && typeof json.value === 'object' && json.value !== null ? json.value : undefined
  if (fields !== undefined) {
    const { id, author, source } = fields as Record<string, unknown>
    return { id: text(id), author: text(author), source: text(source) }
  }
  const words = Buffer.from(value).toString()
  return {
    id: fieldIn(words, 'id'),
    author: fieldIn(words, 'author'),
    source: fieldIn(words, 'source'),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toWellFormed() : undefined
}

function fieldIn(words: string, name: string): string | undefined {
  const literal = new RegExp(`"${name}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(words)?.[1]
  const json = literal === undefined ? undefined : decodeJson(Buffer.from(literal))
  return json?.ok ? text(json.value) : undefined
}
