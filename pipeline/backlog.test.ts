import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogBatch } from '../infra/log/log.ts'
import { BacklogGauge } from './backlog.ts'

const at = Date.parse('2026-03-02T12:00:00Z')

/** A record a character: `l`ive, `h`istory, or no post at all. */
function batch(partition: number, from: number, what: string): LogBatch {
  const records = [...what].map((kind, i) => ({
    offset: from + i,
    timestamp: at + i,
    key: null,
    value: Buffer.from(
      kind === 'x'
        ? '{'
        : JSON.stringify({
            id: `${i}`,
            source: 'test',
            kind: 'news',
            text: 'text',
            publishedAt: '2026-03-02T11:00:00Z',
            history: kind === 'h',
          }),
    ),
  }))
  return {
    topic: 'posts',
    partition,
    from,
    next: from + what.length,
    records,
    isCurrent: () => true,
  }
}

const ends = (...ends: (number | undefined)[]) => ends.map((end, partition) => ({ partition, end }))

test('what waits is what the log holds behind the batches, and the oldest live post in hand is its age', () => {
  const gauge = new BacklogGauge()
  gauge.begin(batch(0, 10, 'xhl'))
  gauge.begin(batch(2, 5, 'l'))
  assert.deepEqual(gauge.measure(ends(20, 99, 6), at + 100), { posts: 11, oldestMs: 100 })
  gauge.end(batch(2, 5, 'l'))
  assert.deepEqual(gauge.measure(ends(20, 99, 6), at + 100), { posts: 10, oldestMs: 98 })
  gauge.end(batch(0, 10, 'xhl'))
  assert.deepEqual(gauge.measure(ends(20, 99, 6), at + 100), { posts: 7, oldestMs: 0 })
})

test('what waits in a partition that was lost waits for another process', () => {
  let isCurrent = true
  const gauge = new BacklogGauge()
  gauge.begin({ ...batch(0, 0, 'l'), isCurrent: () => isCurrent })
  gauge.begin(batch(1, 0, 'l'))
  gauge.end(batch(1, 0, 'l'))
  assert.deepEqual(gauge.measure(ends(500, 2), at + 100), { posts: 501, oldestMs: 100 })
  isCurrent = false
  assert.deepEqual(gauge.measure(ends(900, 2), at + 100), { posts: 1, oldestMs: 0 })
  gauge.forget(1)
  assert.deepEqual(gauge.measure(ends(900, 2), at + 100), { posts: 0, oldestMs: 0 })
})

test('an end that is not known says nothing of what waits', () => {
  const gauge = new BacklogGauge()
  gauge.begin(batch(0, 0, 'l'))
  gauge.begin(batch(1, 0, 'l'))
  assert.equal(gauge.measure(ends(undefined, 3), at).posts, 3)
})

test('nobody waits for history', () => {
  const gauge = new BacklogGauge()
  gauge.begin(batch(0, 0, 'hhx'))
  gauge.end(batch(0, 0, 'hhx'))
  assert.deepEqual(gauge.measure(ends(1_000), at), { posts: 0, oldestMs: 0 })
  gauge.begin(batch(0, 3, 'hl'))
  assert.equal(gauge.measure(ends(1_000), at).posts, 997)
  gauge.begin(batch(0, 5, 'h'))
  assert.equal(gauge.measure(ends(1_000), at).posts, 0)
})
