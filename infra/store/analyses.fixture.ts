/** Rows and folders for tests of the store. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Block } from './store.ts'

export const temporaryFolder = (): { readonly path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'tickertone-store-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export interface SampleRow {
  readonly partition?: number
  readonly offset: number
  readonly ordinal?: number
  readonly block_start?: number
  readonly [column: string]: unknown
}

/** A scored row with the columns that most tests look at; the rest are the engine's defaults. */
export function sampleRow(row: SampleRow): Record<string, unknown> {
  const time = '2026-11-24 10:00:00.000'
  return {
    log_topic: 'posts@0',
    partition: 0,
    ordinal: 0,
    block_start: row.offset,
    gap_from: row.offset,
    outcome: 'scored',
    post_id: `post-${row.offset}`,
    version: 1,
    published_at: time,
    original_published_at: time,
    appended_at: time,
    scored_at: time,
    ...row,
  }
}

/** A block of sample rows as the writer would send it. */
export function sampleBlock(rows: readonly SampleRow[], changes: Partial<Block> = {}): Block {
  const first = rows[0]?.offset ?? 0
  const mark = changes.mark ?? first - 1
  return {
    logTopic: 'posts@0',
    partition: 0,
    mark,
    last: rows.at(-1)?.offset ?? first,
    token: `posts@0/0/${mark + 1}/test/0`,
    rows: rows.map((row) => JSON.stringify(sampleRow({ block_start: first, ...row }))),
    ...changes,
  }
}
