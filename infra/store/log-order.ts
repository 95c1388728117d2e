/**
 * Which rows follow each other in a partition. Every row tells the first offset of its block and (a gap row) of its hole, so that a
 * reader sees what the writer's protocol forbids: a hole, a block written twice, two blocks that overlap. Pure.
 */

/** The columns that say where a row stands. */
export interface PlacedRow {
  readonly partition: number
  readonly offset: number
  readonly ordinal: number
  readonly block_start: number
  readonly gap_from: number
  readonly appended_at: string
}

export interface Fault {
  readonly kind: 'hole' | 'double'
  readonly from: number
  readonly to: number
}

export interface Accepted<Row> {
  readonly rows: Row[]
  /** The offset behind the accepted rows. */
  readonly next: number
  readonly fault?: Fault
}

/**
 * The rows of one partition, ordered by offset, up to the first fault, with the ordinals of an offset in order. The first offset may
 * lie inside a block or a hole's gap row, because a reader may begin anywhere.
 */
export function acceptInOrder<Row extends PlacedRow>(
  rows: readonly Row[],
  from: number,
): Accepted<Row> {
  const accepted: Row[] = []
  let expected = from
  let block: number | undefined
  for (const offsetRows of offsetsOf(rows)) {
    const fault = faultOf(offsetRows, expected, block)
    if (fault !== undefined) return { rows: accepted, next: expected, fault }
    for (const row of offsetRows) {
      accepted.push(row)
      expected = row.offset + 1
      block = row.block_start
    }
  }
  return { rows: accepted, next: expected }
}

function faultOf(
  rows: readonly PlacedRow[],
  expected: number,
  block: number | undefined,
): Fault | undefined {
  const [post] = rows
  if (post === undefined) return undefined
  const { offset, block_start: start, gap_from: first } = post
  if (first > expected) return { kind: 'hole', from: expected, to: first - 1 }
  const overlaps = block !== undefined && first < expected
  const startsInside =
    block === undefined ? start > expected : start !== block && start !== expected
  const repeats = rows.some((row, at) => row.ordinal !== at || row.block_start !== start)
  if (overlaps || startsInside || repeats) return { kind: 'double', from: first, to: offset }
  return undefined
}

/** Rows of one offset together, by ordinal. */
export function* offsetsOf<Row extends PlacedRow>(rows: readonly Row[]): Generator<Row[]> {
  let group: Row[] = []
  for (const row of rows) {
    if (group.length > 0 && group[0]?.offset !== row.offset) {
      yield group.sort((a, b) => a.ordinal - b.ordinal)
      group = []
    }
    group.push(row)
  }
  if (group.length > 0) yield group.sort((a, b) => a.ordinal - b.ordinal)
}
