/** A file of labelled texts that a command reads and judges. */
import { createReadStream } from 'node:fs'
import { Presets, SingleBar } from 'cli-progress'
import { inert } from '../infra/inert.ts'
import type { Intake, NumberedLine } from '../pipeline/evaluation/judge-lines.ts'
import { sizeOf } from './input-file.ts'

export interface Source {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Undefined where nobody knows. */
  readonly size: number | undefined
}

/** `-` reads standard input. Throws USAGE for a file that is none. */
export async function openSource(file: string): Promise<Source> {
  if (file === '-') return { bytes: process.stdin, size: undefined }
  const size = await sizeOf(file)
  return { bytes: createReadStream(file), size }
}

/** The bar shows on a terminal only. */
export async function withProgress<T>(
  { size }: Source,
  work: (onProgress: (line: NumberedLine, intake: Intake) => void) => Promise<T>,
): Promise<T> {
  const format = size === undefined ? '{judged} judged' : '{bar} {percentage}% | {judged} judged'
  const bar = new SingleBar({ format }, Presets.shades_classic)
  bar.start(size ?? 0, 0, { judged: 0 })
  try {
    return await work((line, { judged }) => bar.update(line.end, { judged }))
  } finally {
    bar.stop()
  }
}

export function listBadRows(file: string, { bad, badRows }: Intake): void {
  for (const { line, reason } of badRows)
    process.stderr.write(`${inert(file)}:${line}: ${inert(reason)}\n`)
  if (bad > badRows.length) process.stderr.write(`and ${bad - badRows.length} more bad rows\n`)
}
