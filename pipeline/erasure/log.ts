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

export interface LogErasure {
  readonly records: number
  readonly letters: number
  /** Records and letters that the log holds as they are. */
  readonly kept: number
  /** Origins of the letters. */
  readonly origins: readonly string[]
}

export async function eraseInLog(log: ErasableLog, target: Target): Promise<LogErasure> {
  if (log.rewrite === undefined) {
    const { records, letters } = await countInLog(log, target)
    return { records: 0, letters: 0, kept: records + letters, origins: [] }
  }
  const origins: string[] = []
  const records = await log.rewrite(topics.posts, postReplacement(target))
  const letters = await log.rewrite(topics.dead, letterReplacement(target, origins))
  return { records, letters, kept: 0, origins }
}

export async function countInLog(
  log: ErasableLog,
  target: Target,
): Promise<Pick<LogErasure, 'records' | 'letters'>> {
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

/** Also of what is no JSON, or was cut: its fields are looked for in the text. */
function claimsOf(value: Uint8Array): Claims {
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
