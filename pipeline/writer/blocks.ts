/** Cutting the rows of contiguous offsets into blocks: what one insert makes durable, in one part. */
import { encodeRow } from '../../infra/store/encode-row.ts'
import type { UnplacedRow } from './gap.ts'

export interface BlockLimits {
  readonly rows: number
  /** Of the encoded rows. */
  readonly bytes: number
}

/** Far below the 256 MiB at which the engine cuts an insert into parts. */
export const defaultLimits: BlockLimits = { rows: 50_000, bytes: 32 * 1024 * 1024 }

export interface CutBlock {
  readonly first: number
  readonly last: number
  /** JSONEachRow, in log order, each with this block's `block_start`. */
  readonly rows: readonly string[]
}

interface OpenBlock {
  readonly first: number
  readonly month: string
  readonly rows: string[]
  last: number
  bytes: number
}

/**
 * Blocks that cover every offset of `rows` (in log order). An offset is never cut: one larger than the limits is a block of its own.
 * A block holds one month of appended_at, because every month is a partition of the table, and so a part. Throws as `encodeRow` does.
 */
export function* cutBlocks(rows: Iterable<UnplacedRow>, limits: BlockLimits): Generator<CutBlock> {
  let block: OpenBlock | undefined
  for (const group of byOffset(rows)) {
    if (block !== undefined && append(block, group, limits)) continue
    if (block !== undefined) yield block
    block = openWith(group)
  }
  if (block !== undefined) yield block
}

/** All rows of one offset; a gap row stands for all offsets of its hole. */
interface OffsetGroup {
  readonly first: number
  readonly last: number
  readonly month: string
  readonly rows: readonly UnplacedRow[]
}

function openWith(group: OffsetGroup): OpenBlock {
  const { first, last, month } = group
  const rows = encode(group, first)
  return { first, last, month, rows, bytes: byteLength(rows) }
}

/** False when the group belongs into the next block. */
function append(block: OpenBlock, group: OffsetGroup, limits: BlockLimits): boolean {
  if (group.month !== block.month) return false
  if (block.rows.length + group.rows.length > limits.rows) return false
  const rows = encode(group, block.first)
  const bytes = block.bytes + byteLength(rows)
  if (bytes > limits.bytes) return false
  block.rows.push(...rows)
  block.bytes = bytes
  block.last = group.last
  return true
}

const encode = (group: OffsetGroup, blockStart: number): string[] =>
  group.rows.map((row) => encodeRow({ ...row, block_start: blockStart }))

/** With the line break that joins each row to the next. */
const byteLength = (rows: readonly string[]): number =>
  rows.reduce((sum, row) => sum + Buffer.byteLength(row) + 1, 0)

function* byOffset(rows: Iterable<UnplacedRow>): Generator<OffsetGroup> {
  let group: UnplacedRow[] = []
  for (const row of rows) {
    if (group.length > 0 && group[0]?.offset !== row.offset) {
      yield* groupOf(group)
      group = []
    }
    group.push(row)
  }
  yield* groupOf(group)
}

function* groupOf(rows: readonly UnplacedRow[]): Generator<OffsetGroup> {
  const [post] = rows
  if (post === undefined) return
  yield { first: post.gap_from, last: post.offset, month: post.appended_at.slice(0, 7), rows }
}
