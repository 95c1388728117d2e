/** Rows of an NDJSON file as posts, read as a stream. */
import { createReadStream } from 'node:fs'
import { decodeJson, maxPostBytes, type PostResult, parsePost, tooLarge } from './contract.ts'
import { type Line, readLines } from './lines.ts'

export type SourceRow = PostResult & {
  /** From 1. */
  readonly line: number
  /** Bytes of the file up to the end of the row. */
  readonly end: number
}

export interface RowDefaults {
  /** For rows that name no source. */
  readonly source: string
  /** Put before every id (and `supersedes`): a file played again is then new and not all duplicates. */
  readonly idPrefix?: string | undefined
}

export function readPostFile(
  file: string,
  defaults: RowDefaults,
): AsyncGenerator<readonly SourceRow[]> {
  return readRows(createReadStream(file), defaults)
}

/** A post from the far future is the business of who takes it; a replay may well move it. */
export async function* readRows(
  source: AsyncIterable<Uint8Array>,
  defaults: RowDefaults,
): AsyncGenerator<readonly SourceRow[]> {
  for await (const lines of readLines(source, maxPostBytes))
    yield lines.map((line) => ({
      ...readRow(line, defaults),
      line: line.number,
      end: line.end,
    }))
}

function readRow({ bytes }: Line, defaults: RowDefaults): PostResult {
  if (bytes === undefined) return { ok: false, reason: tooLarge }
  const json = decodeJson(bytes)
  return json.ok ? parsePost(complete(json.value, defaults), Number.POSITIVE_INFINITY) : json
}

function complete(value: unknown, { source, idPrefix = '' }: RowDefaults): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const row: Record<string, unknown> = { source, ...value }
  for (const key of ['id', 'supersedes'])
    if (idPrefix !== '' && typeof row[key] === 'string' && row[key] !== '')
      row[key] = `${idPrefix}${row[key]}`
  return row
}
