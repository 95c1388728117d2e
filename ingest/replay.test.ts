import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import type { Post } from './contract.ts'
import { type Refused, type ReplayOptions, replay, type Sink } from './replay.ts'
import { readRows } from './replay-file.ts'
import { VirtualTime } from './virtual-time.fixture.ts'

const startMs = Date.parse('2026-11-24T12:00:00Z')

function row(id: string, second: number, fields: Record<string, unknown> = {}): string {
  const publishedAt = new Date(Date.UTC(2020, 5, 26) + second * 1_000).toISOString()
  return JSON.stringify({ id, publishedAt, kind: 'comment', text: `Text of ${id}`, ...fields })
}

class RecordingSink implements Sink {
  readonly sent: { id: string; afterMs: number }[] = []
  readonly batches: number[] = []
  readonly #time: VirtualTime

  constructor(time: VirtualTime) {
    this.#time = time
  }

  async send(posts: readonly Post[]) {
    this.batches.push(posts.length)
    for (const { id } of posts) this.sent.push({ id, afterMs: this.#time.now - startMs })
    return posts.map(({ text }) => (text === 'bad' ? 'not wanted' : undefined))
  }
}

async function play(lines: readonly string[], options: Partial<ReplayOptions> = {}) {
  const time = new VirtualTime(startMs)
  const sink = new RecordingSink(time)
  const refused: Refused[] = []
  const summary = await replay({
    rows: readRows(Readable.from([Buffer.from(lines.join('\n'))]), { source: 'file' }),
    sink,
    plan: { speed: 10, startMs, times: 'rebase' },
    clock: time.clock,
    sleep: time.sleep,
    onRefused: (one) => refused.push(one),
    ...options,
  })
  return { summary, sink, refused, time }
}

describe('replay', () => {
  it('sends each post at its time, those of one moment together', async () => {
    const { sink, summary } = await play([row('a', 0), row('b', 60), row('c', 60), row('d', 90)])
    assert.deepEqual(sink.sent, [
      { id: 'a', afterMs: 0 },
      { id: 'b', afterMs: 6_000 },
      { id: 'c', afterMs: 6_000 },
      { id: 'd', afterMs: 9_000 },
    ])
    assert.deepEqual(sink.batches, [1, 2, 1])
    assert.equal(summary.accepted, 4)
    assert.equal(summary.sourceTime, '2020-06-26T00:01:30.000Z')
    assert.equal(summary.interrupted, false)
  })

  it('does not wait at full speed, and bounds its batches', async () => {
    const lines = Array.from({ length: 5 }, (_, n) => row(String(n), n * 1_000))
    const plan = { speed: 'full', startMs, times: 'keep' } as const
    const { sink } = await play(lines, { plan, batchPosts: 2 })
    assert.deepEqual(sink.batches, [2, 2, 1])
    assert.ok(sink.sent.every(({ afterMs }) => afterMs === 0))
  })

  it('waits through gaps longer than a timer can', async () => {
    const fortyDays = 40 * 86_400
    const { sink, time } = await play([row('a', 0), row('b', fortyDays)], {
      plan: { speed: 1, startMs, times: 'rebase' },
    })
    assert.equal(sink.sent[1]?.afterMs, fortyDays * 1_000)
    assert.ok(time.longestSleepMs < 2 ** 31)
  })

  it('reports bad rows with their line and plays the others', async () => {
    const { summary, refused, sink } = await play([
      row('a', 0),
      'not JSON',
      '',
      row('b', 1, { text: 7 }),
      row('late', -60),
      row('c', 2, { text: 'bad' }),
      row('d', 3),
    ])
    assert.deepEqual(refused, [
      { line: 2, reason: 'not valid JSON' },
      { line: 4, reason: 'text: must be string' },
      { line: 5, reason: 'publishedAt: before the row above; sort the file by time' },
      { line: 6, reason: 'not wanted' },
    ])
    assert.deepEqual(
      sink.sent.map(({ id }) => id),
      ['a', 'c', 'd'],
    )
    assert.deepEqual([summary.accepted, summary.refused], [2, 4])
  })

  it('stops during a wait when the signal comes, and says so', async () => {
    const controller = new AbortController()
    const { summary, sink } = await play([row('a', 0), row('b', 60)], {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    assert.deepEqual(
      sink.sent.map(({ id }) => id),
      ['a'],
    )
    assert.equal(summary.interrupted, true)
    assert.equal(summary.accepted, 1)
  })

  it('is not interrupted by a signal after the last post', async () => {
    const controller = new AbortController()
    const { summary } = await play([row('a', 0)], {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    assert.equal(summary.interrupted, false)
  })

  it('fails when the sink gives up', async () => {
    const sink: Sink = { send: () => Promise.reject(new Error('gone')) }
    await assert.rejects(play([row('a', 0)], { sink }), /gone/)
  })

  it('counts what lies outside the chosen time', async () => {
    const fromMs = Date.UTC(2020, 5, 26, 0, 1)
    const { summary, sink } = await play([row('a', 0), row('b', 60)], {
      plan: { speed: 10, startMs, times: 'rebase', fromMs },
    })
    assert.deepEqual(sink.sent, [{ id: 'b', afterMs: 0 }])
    assert.equal(summary.skipped, 1)
  })
})

describe('readRows', () => {
  async function rowsOf(text: string | Uint8Array, idPrefix?: string) {
    const rows = []
    for await (const batch of readRows(Readable.from([Buffer.from(text)]), {
      source: 'file',
      idPrefix,
    }))
      rows.push(...batch)
    return rows
  }

  it('names a source only where the row has none, and prefixes ids', async () => {
    const lines = [row('1', 0), row('2', 0, { source: 'wire', supersedes: '1' })]
    const [first, second] = await rowsOf(lines.join('\n'), 'run7-')
    assert.ok(first?.ok && second?.ok)
    assert.deepEqual([first.post.id, first.post.source], ['run7-1', 'file'])
    assert.deepEqual(
      [second.post.id, second.post.source, second.post.supersedes],
      ['run7-2', 'wire', 'run7-1'],
    )
  })

  it('counts lines and bytes', async () => {
    const text = `\n${row('1', 0)}\n\n[]\n`
    const rows = await rowsOf(text)
    assert.deepEqual(
      rows.map(({ line, end, ok }) => [line, end, ok]),
      [
        [2, text.length - 4, true],
        [4, text.length, false],
      ],
    )
  })

  it('refuses a 10 MB line and goes on', async () => {
    const rows = await rowsOf(`${'x'.repeat(10e6)}\n${row('1', 0)}`)
    assert.deepEqual(
      rows.map((one) => (one.ok ? one.post.id : one.reason)),
      ['larger than 1048576 bytes', '1'],
    )
  })
})
