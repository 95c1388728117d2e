import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toStoreTime } from '../infra/store/store-time.ts'
import { Buckets, type Close, type LogEnd, type PastClose } from './buckets.ts'

interface Row {
  readonly partition: number
  readonly offset: number
  readonly ordinal: number
  readonly appended_at: string
}

const row = (partition: number, offset: number, atMs: number): Row => ({
  partition,
  offset,
  ordinal: 0,
  appended_at: toStoreTime(atMs),
})

const newBuckets = (script: readonly PastClose[] = []) =>
  new Buckets<Row>({
    bucketMs: 10_000,
    closeGraceMs: 5_000,
    start: { cursor: {}, end: undefined },
    script,
  })

const end = (readAt: number, ...offsets: number[]): LogEnd => ({ readAt, offsets })

describe('Buckets', () => {
  it('is closed by a later row in every partition, whatever the clock says', () => {
    const buckets = newBuckets()
    buckets.take([row(0, 0, 9_999), row(1, 0, 3_000), row(0, 1, 10_000)], { 0: 2, 1: 1 })
    assert.equal(buckets.close(end(0, 9, 9), true), undefined)
    buckets.take([row(1, 1, 10_000)], { 0: 2, 1: 2 })
    const close = buckets.close(end(0, 9, 9), true)
    assert.equal(close?.end, 10_000)
    assert.deepEqual(close?.cursor, { 0: 1, 1: 1 })
    assert.deepEqual(
      close?.rows.map(({ partition }) => partition),
      [1, 0],
    )
  })

  const idle = [
    { name: 'before the grace is over', readAt: 14_999, offset: 1, closes: false },
    { name: 'after it, the end reached', readAt: 15_000, offset: 1, closes: true },
    { name: 'after it, records unread', readAt: 60_000, offset: 2, closes: false },
  ]
  for (const { name, readAt, offset, closes } of idle)
    it(`an idle partition, ${name}: ${closes ? 'closed' : 'open'}`, () => {
      const buckets = newBuckets()
      buckets.take([row(0, 0, 5_000), row(1, 0, 12_000)], { 0: 1, 1: 1 })
      assert.equal(buckets.close(end(readAt, offset, 1), true) !== undefined, closes)
    })

  it('counts what comes late in the open bucket', () => {
    const buckets = newBuckets()
    buckets.take([row(0, 0, 5_000)], { 0: 1 })
    assert.equal(buckets.close(end(15_000, 1), true)?.end, 10_000)
    buckets.take([row(0, 1, 9_000)], { 0: 2 })
    const close = buckets.close(end(25_000, 2), false)
    assert.deepEqual([close?.end, close?.rows.length], [20_000, 1])
  })

  it('closes empty buckets one by one, or skips them', () => {
    const rows = [row(0, 0, 5_000), row(0, 1, 45_000)]
    const ends = (skipEmpty: boolean): number[] => {
      const buckets = newBuckets()
      buckets.take(rows, { 0: 2 })
      return closeAll(buckets, end(60_000, 2), skipEmpty).map((close) => close.end)
    }
    assert.deepEqual(ends(false), [10_000, 20_000, 30_000, 40_000, 50_000])
    assert.deepEqual(ends(true), [10_000, 50_000])
  })

  it('gives the same buckets however the reading falls, and again from their vectors', () => {
    const stream = fc.array(
      fc.record({ partition: fc.nat({ max: 2 }), gap: fc.nat({ max: 9_000 }) }),
      { minLength: 1, maxLength: 40 },
    )
    const cuts = fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(stream, cuts, cuts, (steps, cutsA, cutsB) => {
        const rows = rowsOf(steps)
        const ends = [0, 1, 2].map((p) => rows.filter(({ partition }) => partition === p).length)
        const whole = readIn(rows, [rows.length], ends)
        assert.deepEqual(readIn(rows, cutsA, ends), whole)
        const script = whole.map(({ end, cursor }) => ({ end, cursor }))
        assert.deepEqual(readIn(rows, cutsB, ends, script), whole)
        assert.equal(whole.flatMap((close) => close.rows).length, rows.length)
      }),
    )
  })
})

function closeAll(buckets: Buckets<Row>, logEnd: LogEnd, skipEmpty: boolean): Close<Row>[] {
  const closes: Close<Row>[] = []
  for (let close = buckets.close(logEnd, skipEmpty); close !== undefined; ) {
    closes.push(close)
    close = buckets.close(logEnd, closes.length > 100 || skipEmpty || buckets.pending === 0)
  }
  return closes
}

function rowsOf(steps: readonly { partition: number; gap: number }[]): Row[] {
  const next = [0, 0, 0]
  let at = 0
  return steps.map(({ partition, gap }) => {
    at += gap
    const offset = next[partition] ?? 0
    next[partition] = offset + 1
    return row(partition, offset, at)
  })
}

/** Reads each partition on by the next cut in turn, with the log's end known only when all is read. */
function readIn(
  rows: readonly Row[],
  cuts: readonly number[],
  ends: readonly number[],
  script: readonly PastClose[] = [],
): Close<Row>[] {
  const buckets = newBuckets(script)
  const closes: Close<Row>[] = []
  for (let turn = 0; closes.flatMap((close) => close.rows).length < rows.length; turn++) {
    assert.ok(turn < 1_000)
    const cursor: Record<number, number> = { 0: 0, 1: 0, 2: 0, ...buckets.cursor }
    const taken = rows.filter(({ partition, offset }) => {
      const from = cursor[partition] ?? 0
      return offset >= from && offset < from + (cuts[(turn + partition) % cuts.length] ?? 0) + 1
    })
    for (const { partition, offset } of taken) cursor[partition] = offset + 1
    buckets.take(taken, cursor)
    closes.push(...closeAll(buckets, end(10 ** 7, ...ends), true))
  }
  return closes
}
